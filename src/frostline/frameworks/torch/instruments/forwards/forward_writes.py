"""Looks just before and just after the forward passes of modules that may rewrite their own state."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import ClassVar

from torch import nn

from frostline.core.facts import Fact, Moved
from frostline.core.ledger import Place
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.guards.no_tracing import aside
from frostline.frameworks.torch.tensors.tensors import NamedTensor


class ForwardWrites:
    """The modules whose forward pass is looked at: frozen ones with state, and the owners of tensors followed.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (Moved,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._models, self._recorder = context.models, context.recorder
        self._modules: set[int] = set()  # by id
        self._tensors_in: dict[int, list[Hashable]] = {}
        self._renewed_in = 0

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        signals = self._context.signals
        signals.model_met.append(self._renew)
        signals.forwards_wanted.append(self._wanted)
        signals.module_entered.append(lambda module, _: self._look_at(module, "outside"))
        signals.module_left.append(lambda module, *_: self._look_at(module, "forward"))
        return []

    def _wanted(self) -> None:
        self._renew()
        self._context.forwards.switch(True)

    def _renew(self) -> None:
        """Choose them again: modes, flags and the tensors that modules hold have changed."""
        self._modules = set()
        self._tensors_in.clear()
        for entry in self._models.tensors:
            watched, module = self._recorder.tensors[entry.key], self._called(entry)
            stateful = entry.row.kind == "buffer" or entry.row.owner.role != "other"
            if module is None:
                continue
            self._tensors_in.setdefault(id(module), []).append(entry.key)
            if watched.pursuit > 0 or (stateful and watched.frozen):
                self._modules.add(id(module))

    def _called(self, entry: NamedTensor) -> nn.Module | None:
        """The module in whose forward pass the tensor is used: a list of parameters is never called itself."""
        if not isinstance(entry.module, (nn.ParameterList, nn.ParameterDict)):
            return entry.module
        root = next((model.root for model in self._models.models if model.name == entry.row.model), None)
        return entry.module if root is None else root.get_submodule(entry.row.owner.path.rpartition(".")[0])

    def _look_at(self, module: nn.Module, place: Place) -> None:
        """One of them is about to be called, or has returned."""
        if id(module) not in self._modules:
            return
        recorder, forward_pass = self._recorder, self._context.forwards.passes
        try:
            with aside():
                recorder.flags.poll("a forward pass")
                if self._renewed_in != forward_pass:  # once in a pass: modes and tensors change between them
                    self._renewed_in = forward_pass
                    self._models.refresh()
                    self._renew()
                mine = self._tensors_in.get(id(module), ())
                recorder.look_now([key for key in mine if recorder.tensors[key].frozen], place)
        except Exception as error:
            self._context.fault("torch: around a forward pass", error)
