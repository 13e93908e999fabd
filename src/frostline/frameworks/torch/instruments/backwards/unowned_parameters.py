"""Parameters that backward passes reach and that no model and no optimizer knows."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterable
from typing import ClassVar

import torch
from torch import nn

from frostline.core.facts import Fact, TensorFound
from frostline.frameworks.alive import alive
from frostline.frameworks.imports import is_just_imported
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.guards.no_tracing import aside
from frostline.frameworks.torch.models.plain_attributes import plain_names
from frostline.frameworks.torch.tensors.graph import tensors_below
from frostline.frameworks.torch.tensors.shards import is_flat
from frostline.frameworks.torch.tensors.tensors import zero_state
from frostline.observe.variable_names import variable_names

CHECKS = (1, 3)  # twice a run is enough


class UnownedParameters:
    """Looks for such parameters at two checks of a run, in the graphs of the backward passes that led there.

    Where no graph was seen (the gradients came another way, or the graph is too large to walk) all objects of the
    process are searched, which takes tens of milliseconds.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (TensorFound,)

    def __init__(self, context: Context) -> None:
        self.models, self._recorder, self._signals = context.models, context.recorder, context.signals
        self._before = {} if is_just_imported("torch") else _graded()
        self._reached: dict[int, weakref.ref[torch.Tensor]] = {}
        self._seen = False
        self._too_large = False

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._signals.backward_began.append(self._began)
        self._signals.check_ended.append(self._check_ended)
        return []

    def _began(self, roots: object, checked: bool) -> None:
        if checked and self._recorder.checks + 1 in CHECKS:
            with aside():
                self._note_reached(roots)

    def _check_ended(self, _: Hashable) -> None:
        self.models.add_strays(self._found(self._recorder.checks))

    def _note_reached(self, roots: object) -> None:
        tensors = tensors_below(roots)
        self._seen, self._too_large = True, self._too_large or tensors is None
        for tensor in tensors or ():
            if isinstance(tensor, nn.Parameter) and self.models.of(tensor) is None:
                self._reached[id(tensor)] = weakref.ref(tensor)

    def _found(self, check: int) -> list[tuple[torch.Tensor, str]]:
        """The parameters that a gradient reached and that are in no model and no optimizer, with their names.

        Only nn.Parameter counts: a plain tensor with a gradient may as well be an input (an adversarial example, the
        points of a physics-informed network). A gradient that was there before the observation began and is still the
        same is left over from another training: a loop variable keeps the last parameter of its model.

        Args:
            check: the number of the check just made.
        """
        if check not in CHECKS:
            return []
        reached = [tensor for reference in self._reached.values() if (tensor := reference()) is not None]
        candidates = alive(nn.Parameter) if self._too_large or not self._seen else reached
        self._reached, self._seen, self._too_large = {}, False, False
        found = [
            value
            for value in candidates
            if self.models.of(value) is None
            and not is_flat(value)  # what it is made of is known by itself
            and value.is_leaf
            and zero_state(value.grad) == "nonzero"
            and not self._is_left_over(value)
        ]
        names = variable_names({id(tensor) for tensor in found}) if found else {}
        nameless = {id(tensor) for tensor in found} - names.keys()
        names |= plain_names(nameless, [(each.name, each.root) for each in self.models.models if each.root is not None])
        return [(tensor, names[id(tensor)]) for tensor in found if id(tensor) in names]

    def _is_left_over(self, value: torch.Tensor) -> bool:
        reference, gradient, version = self._before.get(id(value), (None, 0, 0))
        same = reference is not None and reference() is value and value.grad is not None
        return same and (id(value.grad), value.grad._version) == (gradient, version)  # type: ignore[union-attr]


def _graded() -> dict[int, tuple[weakref.ref[torch.Tensor], int, int]]:
    """The parameters of the process that hold a gradient already, by identity, with what identifies that gradient."""
    return {
        id(value): (weakref.ref(value), id(value.grad), value.grad._version)
        for value in alive(nn.Parameter)
        if value.is_leaf and value.grad is not None
    }
