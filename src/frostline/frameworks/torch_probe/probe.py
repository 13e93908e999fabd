"""The torch probe: hooks on optimizers, backward and forward passes, turned into calls on the observer."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import _disable_current_modes

from frostline.core.ledger import Event, LeafRow, Program
from frostline.digest.shift import update_in_ulp
from frostline.frameworks.claims import claimed
from frostline.frameworks.torch_probe import discover, wiring
from frostline.frameworks.torch_probe.by_hand import UpdatesByHand
from frostline.frameworks.torch_probe.evidence import finish_rows, named_tensor_with, stray_flags, strays
from frostline.frameworks.torch_probe.forwards import Forwards
from frostline.frameworks.torch_probe.leaf import TorchLeaf, host_bytes, zero_state
from frostline.frameworks.torch_probe.loads import Loads
from frostline.frameworks.torch_probe.models import Models
from frostline.frameworks.torch_probe.phases import Phases
from frostline.observe.live import Hold, LiveLeaf
from frostline.observe.names import variable_names
from frostline.observe.observer import Observer
from frostline.observe.schedule import due
from frostline.settings import Settings

MERGE_ABOVE = 8
LOOKS_FOR_STRAYS = (1, 3)  # a scan of all objects costs tens of milliseconds: twice a run is enough


@contextmanager
def aside() -> Iterator[None]:
    """Nothing done in here is recorded for gradients or seen by the user's tracing and counting modes."""
    with torch.no_grad(), _disable_current_modes():
        yield


class TorchProbe:
    """Observes every torch optimizer and model of the process.

    Args:
        settings: of the run.
        on_check: called after each check.
        fault: takes errors inside frostline, which never reach the script.
    """

    name = "torch"

    def __init__(
        self, settings: Settings, on_check: Callable[[], None], fault: Callable[[str, BaseException], None]
    ) -> None:
        self.fault = fault
        self.events: list[Event] = []
        self.observer = Observer(self, settings, on_check, aside)
        self.models = Models(self.observer, self.events.append)
        self.forwards = Forwards(self._root_called, self._entering, self._leaving, self.models.knows, fault)
        self.phases = Phases(self.events.append, self._name_of)
        self.optimizers: dict[Hashable, weakref.ref[torch.optim.Optimizer]] = {}
        self._keys: weakref.WeakKeyDictionary[torch.optim.Optimizer, Hashable] = weakref.WeakKeyDictionary()
        self._running: list[tuple[torch.optim.Optimizer, FrameType]] = []
        self.removers: list[Callable[[], None]] = []
        self.made: weakref.WeakSet[torch.optim.Optimizer] = weakref.WeakSet()
        self._overflows = wiring.Overflows()
        self._sizes: weakref.WeakKeyDictionary[torch.optim.Optimizer, int] = weakref.WeakKeyDictionary()
        self.loads = Loads(self.models)
        self.by_hand = UpdatesByHand(self.models)
        self._looked_for: dict[int, weakref.ref[Any]] = {}

    # Steps, called by the hooks

    def before_step(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        """Global hook: an optimizer is about to step."""
        if torch.compiler.is_compiling() or claimed(optimizer):
            return
        caller = sys._getframe(1)
        self._drop_broken_off(caller)
        self._running.append((optimizer, caller))
        if len(self._running) > 1:
            return
        try:
            key = self._program(optimizer)
            if len(self.observer.programs) > 1:
                self.phases.step(key, self.observer.steps + 1)
            self._meet_tensors(optimizer)
            self.observer.before_step(key)
            if not self._looking_on():
                self.forwards.switch(False)
        except Exception as error:
            self.fault("torch: before a step", error)

    def after_step(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        """Global hook: the optimizer has stepped."""
        if torch.compiler.is_compiling() or not self._running or claimed(optimizer):
            return
        outermost = self._running[0][0]
        while self._running and self._running.pop()[0] is not optimizer:
            pass
        if self._running or outermost is not optimizer:
            return
        try:
            key = self._program(optimizer)
            checked = self.observer.checks
            self.observer.after_step(key)
            self._overflows.note(optimizer, self.observer.programs[key])
            if self.observer.checks > checked:
                with aside():
                    self._after_check(optimizer, key)
        except Exception as error:
            self.fault("torch: after a step", error)

    def _drop_broken_off(self, frame: FrameType) -> None:
        """Forget steps that ended in an exception: their frames are no longer on the stack."""
        if not self._running:
            return
        stack = set()
        walk: FrameType | None = frame
        while walk is not None:
            stack.add(id(walk))
            walk = walk.f_back
        while self._running and id(self._running[-1][1]) not in stack:
            self._running.pop()
            if not self._running:
                self.observer.forgot_step()

    def _looking_on(self) -> bool:
        """Whether forward passes are watched beyond this step: in the first iterations, and while no root is known."""
        return self.observer.steps < 2 or not self.models.models

    def _after_check(self, optimizer: torch.optim.Optimizer, key: Hashable) -> None:
        self.forwards.switch(True)
        program = self.observer.programs[key]
        self._overflows.settle()
        program.groups = self._groups(optimizer)
        program.orphans = self._orphans(optimizer)
        if wiring.misshapen_state(optimizer):
            names = [name for tensor in wiring.misshapen_state(optimizer) if (name := self._name_of(tensor))]
            self.events.append(Event("misaligned-state", self.observer.steps, program.id, names))
        if self.observer.checks in LOOKS_FOR_STRAYS:
            self.models.add_strays(strays(self.models))
        if len(self.observer.programs) > 1:
            self.phases.holds(key, [tensor for group in optimizer.param_groups for tensor in group["params"]])

    def _program(self, optimizer: torch.optim.Optimizer) -> Hashable:
        key = self._keys.get(optimizer)
        if key is None:
            key = self._register(optimizer)
        return key

    def _register(self, optimizer: torch.optim.Optimizer) -> Hashable:
        names = variable_names({id(optimizer)}, skip=("torch",))
        kind = type(optimizer).__name__
        name = names.get(id(optimizer), "")
        same_kind = [key for key, program in self.observer.programs.items() if program.name.startswith(kind)]
        if len(same_kind) >= MERGE_ABOVE and not name:
            key: Hashable = same_kind[0]
            self.observer.programs[key].merged += 1
        else:
            label = name or kind
            taken = {program.id for program in self.observer.programs.values()}
            count, unique = 1, label
            while unique in taken:
                count += 1
                unique = f"{label}#{count}"
            key = unique
            self.observer.programs[key] = Program(unique, "optimizer", kind)
        self._keys[optimizer] = key
        self.optimizers[key] = weakref.ref(optimizer)
        self.phases.holds(key, [tensor for group in optimizer.param_groups for tensor in group["params"]])
        return key

    def optimizer_made(self, optimizer: torch.optim.Optimizer) -> None:
        """An optimizer was made: training is near, and a new model may be."""
        self.made.add(optimizer)
        self.by_hand.rule_out()
        self.forwards.switch(True)

    def scaler_stepped(self, optimizer: Any, before: int) -> None:
        """A GradScaler was asked to step; it did so only when the number of steps grew."""
        inner = getattr(optimizer, "optimizer", optimizer)
        if self.observer.steps == before and isinstance(inner, torch.optim.Optimizer):
            self.observer.skipped(self._program(inner))

    def take(self, value: Any) -> None:
        """Observe a model or optimizer that was named explicitly; anything else is left alone."""
        if isinstance(value, nn.Module):
            self.meet(value)
        elif isinstance(value, torch.optim.Optimizer):
            self._program(value)
            self._meet_tensors(value)

    # Backward passes, called by the wrapper

    def before_backward(self) -> None:
        """A backward pass is about to begin."""
        if self._running:
            return
        with aside():
            self.phases.backward()
            self.by_hand.backward()

    def meet(self, module: nn.Module) -> None:
        """Take the model around this module under observation."""
        if not self.models.knows(module):
            self.models.add(discover.roots_of([module]))

    # What the observer asks for

    def flags(self) -> list[bool | None]:
        """See Probe."""
        try:
            return [None if reference is None else reference().requires_grad for reference in self.models.flagged]  # type: ignore[union-attr]
        except AttributeError:  # one of the tensors was freed
            return [leaf.flag() if leaf.row.kind == "parameter" else None for leaf in self.models.leaves]

    def refresh(self) -> None:
        """See Probe."""
        self.models.refresh()
        self.models.hidden()

    def holds(self, program: Hashable) -> dict[Hashable, Hold]:
        """See Probe."""
        held: dict[Hashable, Hold] = {}
        for optimizer, key in self._keys.items():
            if key == program:
                held.update(wiring.holds(optimizer, self.models.keys()))
        return held

    def rates(self, program: Hashable) -> list[float | None]:
        """See Probe."""
        reference = self.optimizers.get(program)
        optimizer = reference() if reference is not None else None
        return [wiring.number(group.get("lr")) for group in optimizer.param_groups] if optimizer is not None else []

    def update_ulp(self, program: Hashable, leaf: LiveLeaf) -> float | None:
        """See Probe."""
        assert isinstance(leaf, TorchLeaf)
        reference = self.optimizers.get(program)
        optimizer = reference() if reference is not None else None
        tensor = leaf.tensor
        update = wiring.step_bound(optimizer, tensor) if optimizer is not None and tensor is not None else None
        if update is None or tensor is None:
            return None
        return update_in_ulp(leaf.read(), host_bytes(update), leaf.row.dtype, update_dtype="float64")

    def negligible(self, program: Hashable, leaf: LiveLeaf) -> bool:
        """See Probe."""
        assert isinstance(leaf, TorchLeaf)
        reference, tensor = self.optimizers.get(program), leaf.tensor
        optimizer = reference() if reference is not None else None
        return optimizer is not None and tensor is not None and wiring.negligible(optimizer, tensor)

    def copies(self, leaf: LiveLeaf, content: bytes) -> str | None:
        """See Probe."""
        assert isinstance(leaf, TorchLeaf)
        return named_tensor_with(content, leaf, [reference() for reference in self.optimizers.values()])

    def states(self, leaf: LiveLeaf) -> Iterable[tuple[str, bytes]]:
        """See Probe."""
        assert isinstance(leaf, TorchLeaf)
        tensor = leaf.tensor
        if tensor is None:
            return
        for optimizer in list(self._keys):
            for name, state in (optimizer.state.get(tensor) or {}).items():
                if isinstance(state, torch.Tensor) and state.shape == tensor.shape and state.dtype == tensor.dtype:
                    yield f"{type(optimizer).__name__}'s {name}", bytes(host_bytes(state))

    def kin(self, leaf: LiveLeaf) -> Iterable[LiveLeaf]:
        """See Probe."""
        own = leaf.row.name.rpartition(".")[2]
        alike = [
            other
            for other in self.models.leaves
            if other is not leaf
            and other.row.name not in leaf.row.aliases
            and other.row.shape == leaf.row.shape
            and other.row.dtype == leaf.row.dtype
        ]
        return sorted(alike, key=lambda other: (_common_suffix(other.row.name, leaf.row.name), own), reverse=True)

    def watch_forwards(self, wanted: bool) -> None:
        """See Probe."""
        if wanted:
            self._bracket()
            self.forwards.switch(True)

    def frozen_in_place(self) -> None:
        """See Probe."""
        finish_rows(self)

    # Forward passes

    def _root_called(self, module: nn.Module) -> None:
        if self.models.knows(module) or discover.foreign(module):
            return
        if discover.swapped(module) or not self._first_time(module):
            return
        try:
            with aside():
                self.models.add(discover.roots_of([module]))
                self._bracket()
        except Exception as error:
            self.fault("torch: looking for models", error)

    def _bracket(self) -> None:
        """Watch frozen modules that may rewrite themselves (statistics, bounds), and the owners of leaves followed."""
        wanted = set()
        for leaf in self.models.leaves:
            watched = self.observer.leaves[leaf.key]
            stateful = leaf.row.kind == "buffer" or leaf.row.owner.role != "other"
            if leaf.module is not None and (watched.pursuit > 0 or (stateful and watched.frozen)):
                wanted.add(id(leaf.module))
        self.forwards.bracketed = wanted

    def _entering(self, module: nn.Module) -> None:
        self._look_at(module, "outside")

    def _leaving(self, module: nn.Module) -> None:
        self._look_at(module, "forward")

    def _look_at(self, module: nn.Module, place: Any) -> None:
        try:
            with aside():
                self.observer.poll("a forward pass")
                self.models.refresh()
                mine = [leaf.key for leaf in self.models.leaves if leaf.module is module]
                self.observer.look_now([key for key in mine if self.observer.leaves[key].frozen], place)
        except Exception as error:
            self.fault("torch: around a forward pass", error)

    # Finding what an optimizer holds

    def _meet_tensors(self, optimizer: torch.optim.Optimizer) -> None:
        """Make sure that every tensor of the optimizer belongs to a known model, or is known as a tensor of its own."""
        size = sum(len(group["params"]) for group in optimizer.param_groups)
        if self._sizes.get(optimizer) == size and not due(self.observer.steps + 1):
            return
        self._sizes[optimizer] = size
        strange = [
            tensor
            for group in optimizer.param_groups
            for tensor in group["params"]
            if self.models.of(tensor) is None and self._first_time(tensor)
        ]
        if not strange:
            return
        with aside():
            self._find_owners(strange, optimizer)

    def _find_owners(self, strange: list[torch.Tensor], optimizer: torch.optim.Optimizer) -> None:
        self.models.add(discover.roots_of(discover.modules_holding(strange)))
        self.models.refresh()
        loose = [tensor for tensor in strange if self.models.of(tensor) is None]
        names = variable_names({id(tensor) for tensor in loose}, skip=("torch",))
        used = [tensor for tensor in loose if id(tensor) in names or tensor.grad is not None or not self.models.leaves]
        if used and not self._orphaned(used, optimizer):
            self.models.add_tensors(used, names)

    def _first_time(self, value: Any) -> bool:
        """Whether this object was never looked for before; ids of freed objects do not count."""
        known = self._looked_for.get(id(value))
        if known is not None and known() is value:
            return False
        self._looked_for[id(value)] = weakref.ref(value)
        return True

    def _orphaned(self, loose: list[torch.Tensor], optimizer: torch.optim.Optimizer) -> bool:
        """Whether the tensors are former ones of a model: nothing reaches them, while their likes get gradients."""
        held = {id(tensor) for group in optimizer.param_groups for tensor in group["params"]}
        reached = {
            tuple(tensor.shape)
            for leaf in self.models.leaves
            if leaf.row.kind == "parameter" and (tensor := leaf.tensor) is not None
            if id(tensor) not in held and zero_state(tensor.grad) == "nonzero"
        }
        return all(tensor.grad is None and tuple(tensor.shape) in reached for tensor in loose)

    def _orphans(self, optimizer: torch.optim.Optimizer) -> list[str]:
        keys = self.models.keys()
        return [
            f"{type(tensor).__name__.lower()} of shape {tuple(tensor.shape)}"
            for group in optimizer.param_groups
            for tensor in group["params"]
            if id(tensor) not in keys
        ]

    def _groups(self, optimizer: torch.optim.Optimizer) -> list[dict[str, float | int | None]]:
        return [
            {
                "lr": wiring.number(group.get("lr")),
                "weight_decay": wiring.number(group.get("weight_decay")),
                "momentum": wiring.number(group.get("momentum")),
                "tensors": len(group["params"]),
                "numbers": sum(tensor.numel() for tensor in group["params"]),
            }
            for group in optimizer.param_groups
        ]

    def _name_of(self, tensor: Any) -> str:
        leaf = self.models.of(tensor)
        return leaf.row.name if leaf is not None else ""

    # The end

    def close(self) -> None:
        """The last look; afterwards nothing is kept alive."""
        with aside():
            self.by_hand.end()
            self._overflows.settle()
            self.observer.over = True
            self._look_for_unseen()
            self.events.extend(stray_flags(self.models))
            self.events.extend(
                Event("remade", self.observer.steps, kind, facts={"passes": count})
                for kind, count in self.forwards.remade.items()
            )
            self.observer.close()
        self.forwards.switch(False)
        for remove in reversed(self.removers):
            remove()
        self.models.let_go()

    def _look_for_unseen(self) -> None:
        """Optimizers that were made and never stepped hold models too."""
        for optimizer in list(self.made):
            if optimizer not in self._keys and not discover.foreign(optimizer) and not claimed(optimizer):
                key = self._program(optimizer)
                self._meet_tensors(optimizer)
                program = self.observer.programs[key]
                program.backwards, program.groups = self.phases.backwards, self._groups(optimizer)
                self.observer.note_holds(key, wiring.holds(optimizer, self.models.keys()))

    def rows(self) -> list[LeafRow]:
        """The ledger's rows in the order of adoption, each storage once."""
        told: set[str] = set()
        rows = []
        for leaf in self.models.leaves:
            if leaf.row.name in told:
                continue
            told.update((leaf.row.name, *leaf.row.aliases))
            rows.append(leaf.row)
        return rows


def _common_suffix(one: str, other: str) -> int:
    parts = zip(reversed(one.split(".")), reversed(other.split(".")), strict=False)
    count = 0
    for mine, theirs in parts:
        if mine != theirs:
            break
        count += 1
    return count
