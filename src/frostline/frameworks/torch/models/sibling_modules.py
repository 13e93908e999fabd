"""Modules of one make beside each other in a list: experts, heads of many, of which a pass calls some."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import nn

from frostline.frameworks.torch.models.models import Models
from frostline.frameworks.torch.tensors.tensors import NamedTensor

Place = tuple[str, tuple[str, ...], tuple[str, ...]]  # the model, what stands before the index, what stands after it


class CalledSiblings:
    """The modules that were called, by the places of containers that they stand in.

    Args:
        models: the models under observation.
        called: ids of the modules that were called.
    """

    def __init__(self, models: Models, called: set[int]) -> None:
        self._roots = {model.name: model.root for model in models.models}
        self._containers: dict[tuple[str, tuple[str, ...]], bool] = {}
        self._makes: dict[int, tuple[Any, ...]] = {}
        self._called: dict[tuple[Place, tuple[Any, ...]], set[int]] = {}
        for entry in models.tensors:
            module = entry.module
            if module is not None and id(module) in called:
                for place in self._places(entry):
                    self._called.setdefault((place, self._make(module)), set()).add(id(module))

    def of(self, entry: NamedTensor) -> bool:
        """Whether a module of the same make, in the same container but for its index, was called."""
        module = entry.module
        if module is None:
            return False
        found = (self._called.get((place, self._make(module)), set()) for place in self._places(entry))
        return any(len(each) > (id(module) in each) for each in found)

    def _places(self, entry: NamedTensor) -> Iterator[Place]:
        model, path = entry.row.model, tuple(entry.row.owner.path.split("."))
        for index in range(len(path)):
            if self._is_container(model, path[:index]):
                yield model, path[:index], path[index + 1 :]

    def _is_container(self, model: str, path: tuple[str, ...]) -> bool:
        known = self._containers.get((model, path))
        if known is None:
            value: Any = self._roots.get(model)
            for piece in path:
                value = getattr(value, piece, None)
            known = isinstance(value, (nn.ModuleList, nn.ModuleDict, list, tuple, dict))
            self._containers[model, path] = known
        return known

    def _make(self, module: nn.Module) -> tuple[Any, ...]:
        """A module's type and the shapes of its own tensors."""
        make = self._makes.get(id(module))
        if make is None:
            shapes = tuple(tuple(tensor.shape) for tensor in module.parameters(recurse=False))
            make = self._makes[id(module)] = (type(module), shapes)
        return make
