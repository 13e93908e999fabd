"""The torch probe: hooks on optimizers, backward and forward passes, turned into calls on the observer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Iterable
from typing import Any

import torch
from torch import nn
from torch._functorch.pyfunctorch import temporarily_clear_interpreter_stack

from frostline.core.facts import ModulesRecreated, OptimizerSeen, StateMisshapen
from frostline.core.journal import Journal
from frostline.core.ledger import Program
from frostline.digest.blocks import Digest
from frostline.digest.shift import update_in_ulp
from frostline.frameworks.claims import claimed
from frostline.frameworks.torch_probe import discover, wiring
from frostline.frameworks.torch_probe.asides import aside
from frostline.frameworks.torch_probe.brackets import Brackets
from frostline.frameworks.torch_probe.by_hand import UpdatesByHand
from frostline.frameworks.torch_probe.compiled import CompiledCalls
from frostline.frameworks.torch_probe.conversions import Conversions
from frostline.frameworks.torch_probe.device_digests import DeviceDigests
from frostline.frameworks.torch_probe.evidence import finish_rows, named_tensor_with, stray_flags
from frostline.frameworks.torch_probe.forwards import Forwards
from frostline.frameworks.torch_probe.kin import kin_of
from frostline.frameworks.torch_probe.leaf import TorchLeaf, host_bytes
from frostline.frameworks.torch_probe.left_out import LeftOut
from frostline.frameworks.torch_probe.loaded_files import LoadedFiles
from frostline.frameworks.torch_probe.loads import Loads
from frostline.frameworks.torch_probe.masks import GradientMasks
from frostline.frameworks.torch_probe.merges import Merges
from frostline.frameworks.torch_probe.models import Models
from frostline.frameworks.torch_probe.owners import Owners
from frostline.frameworks.torch_probe.phases import Phases
from frostline.frameworks.torch_probe.printed import PrintedCounts
from frostline.frameworks.torch_probe.programs import Programs
from frostline.frameworks.torch_probe.replacements import Replacements
from frostline.frameworks.torch_probe.saves import TorchSaves
from frostline.frameworks.torch_probe.states import States
from frostline.frameworks.torch_probe.strays import Strays
from frostline.frameworks.torch_probe.underway import StepsUnderWay, Trainer
from frostline.observe.live import Hold, LiveLeaf, Withheld
from frostline.observe.observer import Observer
from frostline.observe.schedule import due
from frostline.settings import Settings


class TorchProbe:
    """Observes every torch optimizer and model of the process.

    Args:
        settings: of the run.
        journal: takes the facts.
        on_check: called after each check.
        fault: takes errors inside frostline, which never reach the script.
    """

    name = "torch"

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        on_check: Callable[[], None],
        fault: Callable[[str, BaseException], None],
    ) -> None:
        self.fault = fault
        self._device_digests = DeviceDigests(fault)
        self.observer = Observer(self, settings, journal, on_check, aside)
        self.observer.setting_up = True
        self.models = Models(self.observer, lambda: self.programs.all_held())
        self.trainer = Trainer()
        self.brackets = Brackets(self.models, fault)
        self.forwards = Forwards(self._root_called, self.brackets, self.models.knows, self.trainer.is_here, fault)
        self.owners = Owners(self.models)
        self.phases = Phases(self.observer.tell, self._name_of)
        self.programs = Programs(self.observer)
        self._running = StepsUnderWay(self.observer.forgot_step)
        self.removers: list[Callable[[], None]] = []
        self._overflows = wiring.Overflows(self.observer.tell)
        self.loaded_files = LoadedFiles(self.models)
        self.loads = Loads(self.models, self.loaded_files)
        self.left_out = LeftOut(self.models)
        self.merges = Merges(self.models)
        self.conversions = Conversions(self.models)
        is_new = getattr(torch.__spec__, "_initializing", False)  # nothing can have a gradient while torch is imported
        self.strays = Strays(self.models, is_new)
        self.replacements = Replacements(self.models)
        self.printed = PrintedCounts(self.models)
        self.state_dicts = States(self.models)
        self.saves = TorchSaves(self.models, self.observer)
        self.by_hand = UpdatesByHand(self.models)
        self.masks = GradientMasks(self.models, fault)
        self.compiled = CompiledCalls(self)

    # Steps, called by the hooks

    def before_step(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        """Global hook: an optimizer is about to step."""
        if claimed(optimizer) or not self.trainer.is_here():
            return
        if not self._running.begin(optimizer, sys._getframe(2)):  # past the hook: the frame that lasts as long
            return
        self.compiled.eager_step()
        try:
            key = self._program(optimizer)
            if len(self.observer.programs) > 1:
                self.phases.step(key, self.observer.steps + 1, closure=_closure(args, kwargs) is not None)
            self.owners.meet(optimizer)
            if not self.observer.steps:
                with aside():
                    self.loaded_files.compare(list(self.observer.leaves))
            self.observer.wires.made_inside = False
            self.observer.before_step(key)
            if self.observer.checking:
                self._tell_starved(self.observer.programs[key], self.programs.without_gradients(key))
            if not self._looking_on():
                self.forwards.switch(False)
        except Exception as error:
            self.fault("torch: before a step", error)

    def after_step(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        """Global hook: the optimizer has stepped."""
        if claimed(optimizer):
            return
        if not self.trainer.is_here():
            program = self.observer.programs[self._program(optimizer)]
            self.observer.tell(OptimizerSeen(optimizer=program.id, steps_beside=program.steps_beside + 1))
            return
        if not self._running.end(optimizer):
            return
        try:
            key = self._program(optimizer)
            self._overflows.note(optimizer, self.observer.programs[key])
            self.stepped(key)
        except Exception as error:
            self.fault("torch: after a step", error)

    def stepped(self, key: Hashable) -> None:
        """A program has stepped: let the observer look, and look at the program itself where that was a check."""
        checked = self.observer.checks
        self.observer.after_step(key)
        if self.observer.checks > checked:
            with aside():
                self._after_check(key)

    @property
    def stepping(self) -> bool:
        """Whether a hook has announced a step that is not over yet."""
        return bool(self._running)

    def look_before_compiled(self, sample: Callable[[torch.optim.Optimizer], Any]) -> list[tuple[Any, Any]]:
        """A compiled function is about to run that may step: look at every leaf; a sample of each optimizer."""
        optimizers = self.programs.known()
        with aside():
            for optimizer in optimizers:
                self.owners.meet(optimizer)
            self.observer.look_now(list(self.observer.leaves), self.observer.place_now())
            return [(optimizer, sample(optimizer)) for optimizer in optimizers]

    def _looking_on(self) -> bool:
        """Whether forward passes are watched beyond this step: in the first iterations, and while no root is known."""
        return self.observer.steps < 2 or not self.models.models

    def _after_check(self, key: Hashable) -> None:
        self.forwards.switch(True)
        program = self.observer.programs[key]
        self._overflows.settle()
        groups, orphans = self.programs.groups(key), self.owners.orphans(self.programs.tensors(key))
        if (groups, orphans) != (program.groups, program.orphans):
            self.observer.tell(OptimizerSeen(optimizer=program.id, groups=groups, orphans=orphans))
        if program.starved:  # a closure makes gradients inside the step
            self._tell_starved(program, self.programs.without_gradients(key))
        wrong = [tensor for optimizer in self.programs.of(key) for tensor in wiring.misshapen_state(optimizer)]
        if wrong:
            names = tuple(name for tensor in wrong if (name := self._name_of(tensor)))
            self.observer.tell(StateMisshapen(step=self.observer.steps, optimizer=program.id, tensors=names))
        self.models.add_strays(self.strays.found(self.observer.checks))
        if len(self.observer.programs) > 1:
            self.phases.holds(key, self.programs.tensors(key))

    def _tell_starved(self, program: Program, starved: bool) -> None:
        if starved != program.starved:
            self.observer.tell(OptimizerSeen(optimizer=program.id, starved=starved))

    def _program(self, optimizer: torch.optim.Optimizer) -> Hashable:
        if self.programs.registered(optimizer):
            return self.programs.key(optimizer)
        key = self.programs.key(optimizer)
        self.phases.holds(key, self.programs.tensors(key))
        return key

    def optimizer_made(self, optimizer: torch.optim.Optimizer) -> None:
        """An optimizer was made: training is near, and a new model may be."""
        self.programs.made(optimizer)
        self.by_hand.rule_out()
        if self.trainer.is_here():
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
            self.owners.meet(value)

    # Backward passes, called by the wrapper

    def before_backward(self, roots: object) -> None:
        """A backward pass from ``roots``, a tensor or several, is about to begin."""
        if not self.trainer.is_here():
            return
        self.observer.begin()
        if self._running:
            self.observer.wires.made_inside = True
            return
        if self._check_ahead():
            with aside():
                self.masks.listen(roots)
                self.strays.backward(roots, self.observer.checks + 1)
        self.phases.backwards += 1
        if self.phases.watching or not self.by_hand.ruled_out:
            with aside():
                self.phases.backward()
                self.by_hand.backward(roots)

    def awaits_gradients(self) -> bool:
        """Whether gradients that the script asks for may go into an update by hand: no optimizer was made so far."""
        return not self.by_hand.ruled_out and not self._running and self.trainer.is_here()

    def called_functionally(self, module: nn.Module, *args: Any, **kwargs: Any) -> None:
        """A module is about to be called with other weights than its own."""
        if discover.foreign(module):
            return
        try:
            differentiated = torch._C._functorch.peek_interpreter_stack() is not None
            with aside(), temporarily_clear_interpreter_stack():
                self.meet(module)
                if differentiated:
                    self.by_hand.transformed()
        except Exception as error:
            self.fault("torch: before a functional call", error)

    def _check_ahead(self) -> bool:
        """Whether the coming step of some program is a check."""
        every = self.observer.settings.check_every
        return any(due(program.steps_executed + 1, every) for program in self.observer.programs.values()) or (
            not self.observer.programs
        )

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
        self.models.name_late()
        self.models.refresh()
        self.models.hidden()
        self.replacements.settle()
        self.printed.settle()

    def holds(self, program: Hashable) -> dict[Hashable, Hold]:
        """See Probe."""
        holds: dict[Hashable, Hold] = {}
        for optimizer in self.programs.of(program):
            holds.update(wiring.holds(optimizer, self.models.keys()))
        for key, hold in holds.items():
            hold.inside = program in self.compiled.programs
            leaf = self.observer.leaves[key].leaf
            hold.state_of = self.state_dicts.source(leaf.tensor) if isinstance(leaf, TorchLeaf) else None
        return holds

    def rates(self, program: Hashable) -> list[float | None]:
        """See Probe."""
        return self.programs.rates(program, waiting=self.observer.checking)

    def update_ulp(self, program: Hashable, leaf: LiveLeaf) -> float | None:
        """See Probe."""
        assert isinstance(leaf, TorchLeaf)
        update = self.programs.step_bound(program, leaf.tensor) if leaf.tensor is not None else None
        if update is None:
            return None
        return update_in_ulp(leaf.read(), host_bytes(update), leaf.row.dtype, update_dtype="float64")

    def negligible(self, program: Hashable, leaf: LiveLeaf) -> bool:
        """See Probe."""
        assert isinstance(leaf, TorchLeaf)
        return leaf.tensor is not None and self.programs.negligible(program, leaf.tensor)

    def digests(self, leaves: Iterable[LiveLeaf]) -> dict[Hashable, Digest]:
        """See Probe."""
        return self._device_digests.of(leaves)

    def withheld(self) -> dict[Hashable, Withheld]:
        """See Probe."""
        return self.masks.withheld()

    def place_in_group(self) -> tuple[int, int] | None:
        """This process's rank and the number of processes, once it has joined others; None when alone."""
        group = torch.distributed
        joined = group.is_available() and group.is_initialized() and group.get_world_size() > 1
        return (group.get_rank(), group.get_world_size()) if joined else None

    def copies(self, leaf: LiveLeaf, content: bytes) -> str | None:
        """See Probe."""
        assert isinstance(leaf, TorchLeaf)
        return named_tensor_with(content, leaf, self.programs.known())

    def states(self, leaf: LiveLeaf) -> Iterable[tuple[str, bytes]]:
        """See Probe."""
        assert isinstance(leaf, TorchLeaf)
        return self.programs.states(leaf.tensor) if leaf.tensor is not None else ()

    def kin(self, leaf: LiveLeaf) -> Iterable[LiveLeaf]:
        """See Probe."""
        assert isinstance(leaf, TorchLeaf)
        return kin_of(leaf, self.models.leaves)

    def watch_forwards(self, wanted: bool) -> None:
        """See Probe."""
        if wanted:
            self.brackets.renew()
            self.forwards.switch(True)

    def frozen_in_place(self) -> None:
        """See Probe."""
        finish_rows(self)
        for left_out in self.left_out.found():
            self.observer.tell(left_out)

    # Forward passes

    def _root_called(self, module: nn.Module) -> None:
        if self.models.knows(module) or discover.foreign(module):
            with aside():
                self.by_hand.forward()
            return
        if discover.swapped(module) or not self.owners.first_time(module):
            return
        try:
            with aside():
                self.models.add(discover.roots_of([module]))
                self.brackets.renew()
            self.observer.met_late()
        except Exception as error:
            self.fault("torch: looking for models", error)

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
            for misspelt in stray_flags(self.models):
                self.observer.tell(misspelt)
            for kind, count in self.forwards.remade.items():
                self.observer.tell(ModulesRecreated(step=self.observer.steps, type=kind, passes=count))
            self.saves.settle()
            self.saves.tell_hidden()
            self.observer.close()
        self.forwards.switch(False)
        for remove in reversed(self.removers):
            remove()
        self.models.let_go()
        self.programs.let_go()

    def _look_for_unseen(self) -> None:
        """Optimizers that were made and never stepped hold models too."""
        for optimizer in self.programs.known():
            key = self._program(optimizer)
            if not self.observer.programs[key].steps_executed:
                self.owners.meet(optimizer)
                program = self.observer.programs[key]
                backwards, groups = self.phases.backwards, self.programs.groups(key)
                self.observer.tell(OptimizerSeen(optimizer=program.id, backwards=backwards, groups=groups))
                self.observer.note_holds(key, wiring.holds(optimizer, self.models.keys()))


def _closure(args: Any, kwargs: Any) -> Any:
    """What was given to ``step`` to compute the loss again: such a step makes its own backward passes."""
    return args[1] if len(args) > 1 else kwargs.get("closure")
