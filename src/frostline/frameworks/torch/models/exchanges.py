"""Tensors that take the place of others under a known name, and optimizers that hold on to the former ones."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import nn

from frostline.core.columns.part import Part
from frostline.core.facts import TensorReplaced, TensorSeen
from frostline.frameworks.torch.tensors.shards import Shard, shard_of
from frostline.frameworks.torch.tensors.tensors import (
    NamedTensor,
    dtype_name,
    local,
    shape_of,
    why_unreadable,
)
from frostline.observe.observer import Observer

Form: TypeAlias = tuple[tuple[int, ...], str, Part | None]  # shape of the whole, type, and the part held here


class Exchanges:
    """Tells of each exchange, and whether it left an optimizer with the former tensor.

    Args:
        observer: takes the facts.
        held: every tensor that an optimizer holds.
    """

    def __init__(self, observer: Observer, held: Callable[[], list[torch.Tensor]]) -> None:
        self._observer, self._held = observer, held
        self.entered: dict[int, tuple[weakref.ref[torch.Tensor], int]] = {}  # those put in a known module, when
        self._held_by_shape: dict[torch.Size, list[torch.Tensor]] | None = None  # while many are exchanged at once

    def enter(self, tensor: torch.Tensor) -> None:
        """A parameter was put in the place of another in a module under observation."""
        self.entered[id(tensor)] = (weakref.ref(tensor), self._observer.steps)

    def settled(self) -> None:
        """All that was exchanged was told."""
        self.entered.clear()
        self._held_by_shape = None

    def tell(self, entry: NamedTensor, tensor: torch.Tensor, module: nn.Module, shard: Shard | None) -> Form:
        """Tell that ``tensor``, in ``module``, goes by the tensor's name now; returns what the former one was like."""
        row = entry.row
        former = (row.shape, row.dtype, row.part)
        if row.kind == "parameter" and (shard is not None) == bool(row.sharded) and entry.tensor is not tensor:
            self._observer.tell(
                TensorReplaced(
                    step=self._observer.steps,
                    tensor=row.id,
                    name=row.name,
                    by=type(module).__name__,
                    flag_before=row.declared.trainable,
                    flag_now=tensor.requires_grad,
                )
            )
        self.tell_form(entry, tensor, shard)
        return former

    def tell_form(self, entry: NamedTensor, tensor: torch.Tensor, shard: Shard | None) -> None:
        """Tell what the tensor is like now."""
        shape, dtype, part = form_of(tensor, shard)
        size = tensor.numel() if shard is None else shard.size
        length = size * tensor.element_size()
        self._observer.tell(
            TensorSeen(
                tensor=entry.row.id,
                shape=shape,
                dtype=dtype,
                size=size,
                bytes=length,
                sharded=shard is not None,
                part=part,
            )
        )

    def tell_stranded(self, entry: NamedTensor, tensor: torch.Tensor, known: Callable[[Any], object]) -> None:
        """Tell whether an optimizer still holds what was there before, and none what is there now or its values.

        Args:
            tensor: that ``tensor`` carries now.
            tensor: the new one.
            known: the tensor of a tensor, or None.
        """
        row = entry.row
        held = self._held_like(tensor) if tensor.requires_grad else []
        former = [other for other in held if known(other) is None]
        if not former or any(other is tensor for other in held) or any(_same_values(other, tensor) for other in former):
            if row.replaced_at is not None:
                self._observer.tell(TensorSeen(tensor=row.id, replaced_at=None))
        elif row.replaced_at is None:
            reference, step = self.entered.get(id(tensor), (None, 0))
            at = step if reference is not None and reference() is tensor else self._observer.steps
            self._observer.tell(TensorSeen(tensor=row.id, replaced_at=at))

    def _held_like(self, tensor: torch.Tensor) -> list[torch.Tensor]:
        """What optimizers hold that has the shape of ``tensor``."""
        if self._held_by_shape is None:
            self._held_by_shape = {}
            for other in self._held():
                self._held_by_shape.setdefault(other.shape, []).append(other)
        return self._held_by_shape.get(tensor.shape, [])


def form_of(tensor: torch.Tensor, shard: Shard | None) -> Form:
    """Shape and type, and which part of it this process holds."""
    if shard is None:
        return shape_of(tensor), dtype_name(tensor), None
    return shard.shape, dtype_name(tensor), shard.part


def for_a_pass(tensor: torch.Tensor, entry: NamedTensor) -> bool:
    """Whether the tensor stands in the tensor's place for the time of a pass only: the whole of a sharded weight."""
    own = entry.tensor
    if own is None or entry.row.kind != "parameter":
        return False
    gathered = entry.shard is not None and shard_of(tensor) is None and tensor.shape == own.shape
    return gathered or not isinstance(tensor, nn.Parameter)


def _same_values(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether the two hold the same values, up to their types; what cannot be compared counts as the same."""
    if why_unreadable(one) or why_unreadable(other) or one.device != other.device:
        return True
    return torch.equal(local(one).to(other.dtype), local(other))
