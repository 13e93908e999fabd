"""Looks just before and just after the forward passes of modules that may rewrite their own state."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from torch import nn

from frostline.core.ledger import Place
from frostline.frameworks.torch_probe.asides import aside
from frostline.frameworks.torch_probe.leaf import TorchLeaf
from frostline.frameworks.torch_probe.models import Models


class Brackets:
    """The modules whose forward pass is looked at: frozen ones with state, and the owners of leaves followed.

    Args:
        models: the models under observation.
        fault: takes errors of ours.
    """

    def __init__(self, models: Models, fault: Callable[[str, BaseException], None]) -> None:
        self.models = models
        self.fault = fault
        self.modules: set[int] = set()  # by id
        self._leaves_in: dict[int, list[Hashable]] = {}
        self._renewed_in = 0

    def renew(self) -> None:
        """Choose them anew: modes, flags and the tensors that modules hold have changed."""
        self.modules = set()
        self._leaves_in.clear()
        for leaf in self.models.leaves:
            watched, module = self.models.observer.leaves[leaf.key], self._called(leaf)
            stateful = leaf.row.kind == "buffer" or leaf.row.owner.role != "other"
            if module is None:
                continue
            self._leaves_in.setdefault(id(module), []).append(leaf.key)
            if watched.pursuit > 0 or (stateful and watched.frozen):
                self.modules.add(id(module))

    def _called(self, leaf: TorchLeaf) -> nn.Module | None:
        """The module in whose forward pass the leaf is used: a list of parameters is never called itself."""
        if not isinstance(leaf.module, (nn.ParameterList, nn.ParameterDict)):
            return leaf.module
        root = next((model.root for model in self.models.models if model.name == leaf.row.model), None)
        return leaf.module if root is None else root.get_submodule(leaf.row.owner.path.rpartition(".")[0])

    def enter(self, module: nn.Module, forward_pass: int) -> None:
        """One of them is about to be called, in the outermost forward pass with this number."""
        self._look_at(module, forward_pass, "outside")

    def leave(self, module: nn.Module, forward_pass: int) -> None:
        """One of them has returned."""
        self._look_at(module, forward_pass, "forward")

    def _look_at(self, module: nn.Module, forward_pass: int, place: Place) -> None:
        observer = self.models.observer
        try:
            with aside():
                observer.poll("a forward pass")
                if self._renewed_in != forward_pass:  # once in a pass: modes and tensors change between them
                    self._renewed_in = forward_pass
                    self.models.refresh()
                    self.renew()
                mine = self._leaves_in.get(id(module), ())
                observer.look_now([key for key in mine if observer.leaves[key].frozen], place)
        except Exception as error:
            self.fault("torch: around a forward pass", error)
