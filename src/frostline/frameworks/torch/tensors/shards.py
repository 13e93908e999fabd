"""Sharded tensors: which part of a whole this process holds, as a shard of its own or inside of a flat parameter."""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.utils.weak import WeakIdKeyDictionary

from frostline.core.columns.part import Part

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Shard:
    """The part of a tensor that this process holds, of a whole of this ``shape``.

    ``box`` gives start and stop of the part in every dimension of the whole, or of all its values in a row where there
    is but one pair. Inside of a ``flat`` parameter its values begin at ``start``; it is the ``index``th tensor there.
    """

    shape: Shape
    part: Part
    box: tuple[tuple[int, int], ...] | None
    flat: weakref.ref[Any] | None = field(default=None, compare=False)
    start: int = 0
    index: int = 0

    @property
    def size(self) -> int:
        """How many values the whole has."""
        return math.prod(self.shape)

    def memory(self) -> torch.Tensor | None:
        """The values that this process holds, where they lie in a flat parameter."""
        flat = self.flat() if self.flat is not None else None
        if flat is None:
            return None
        return self.cut(next(held for name in _HELD if (held := getattr(flat, name, None)) is not None).detach())

    def cut(self, flat: torch.Tensor) -> torch.Tensor:
        """The values of this tensor in one that is laid out like the flat parameter: its gradient, its state."""
        return flat[self.start : self.start + self.part.values]

    def of_whole(self, whole: torch.Tensor) -> torch.Tensor | None:
        """The part of another tensor of the whole's shape that stands where this process's part does."""
        if self.box is None or tuple(whole.shape) != self.shape:
            return None
        if self.flat is not None:
            return whole.reshape(-1)[slice(*self.box[0])]
        return whole[tuple(slice(*each) for each in self.box)]


_HELD = ("ds_tensor", "_local_shard", "data")  # where DeepSpeed and FSDP keep what a process holds of a tensor


def shard_of(tensor: torch.Tensor) -> Shard | None:
    """The shard that a DTensor is, or a parameter that DeepSpeed partitions; None for what each process holds whole."""
    if getattr(tensor, "ds_tensor", None) is not None:
        return _partition(tensor)
    placements = getattr(tensor, "placements", ())
    if not placements or all(placement.is_replicate() for placement in placements):
        return None
    spec = getattr(tensor, "_spec", None)
    known: tuple[Any, Shard] | None = _KNOWN.get(tensor)  # type: ignore[no-untyped-call]
    if known is None or known[0] is not spec:
        known = _KNOWN[tensor] = spec, _shard(tensor, placements)
    return known[1]


_KNOWN: WeakIdKeyDictionary = WeakIdKeyDictionary()  # of each DTensor, its specification and the shard


def _shard(tensor: Any, placements: Any) -> Shard:
    from torch.distributed.tensor._utils import compute_local_shape_and_global_offset

    shape, local = tuple(tensor.shape), tuple(tensor.to_local().shape)
    try:
        _, offset = compute_local_shape_and_global_offset(tensor.shape, tensor.device_mesh, placements)
    except (NotImplementedError, RuntimeError, ValueError, AssertionError):
        offset = ()
    partial = [str(placement) for placement in placements if placement.is_partial()]
    box = tuple((start, start + length) for start, length in zip(offset, local, strict=False))
    known = len(box) == len(shape) and not partial
    place = ", ".join([*(f"{start}:{stop}" for start, stop in box), *partial]) if box else f"unknown, {id(tensor)}"
    return Shard(shape, Part(place, math.prod(local)), box if known else None)


def _partition(parameter: Any) -> Shard:
    length, size = parameter.ds_tensor.ds_numel, parameter.ds_numel
    start = min(size, length * torch.distributed.get_rank(parameter.ds_process_group))
    stop = min(size, start + length)
    part = Part(f"values {start}:{stop}", stop - start)
    return Shard(tuple(parameter.ds_shape), part, ((start, stop),), weakref.ref(parameter))


@dataclass(frozen=True, slots=True)
class Member:
    """A parameter that stands in a flat parameter: the module that uses it, its names there, and where it is.

    ``own`` is the parameter that the module shows, where the flat parameter keeps those.
    """

    module: nn.Module
    name: str
    shard: Shard
    own: torch.Tensor | None


def is_flat(tensor: torch.Tensor | None) -> bool:
    """Whether sharded training made this of many parameters, of which it shows parts as the modules' own."""
    return getattr(tensor, "_is_flat_param", False)


def members_of(root: nn.Module) -> Iterator[tuple[torch.Tensor, list[Member]]]:
    """Every flat parameter below a module, with the parameters that stand in it."""
    for module in root.modules():
        handle = module.__dict__.get("_handle")
        flat = getattr(handle, "flat_param", None)
        if isinstance(flat, torch.Tensor) and is_flat(flat) and hasattr(flat, "_shard_param_infos"):
            yield flat, list(_members(flat))


def _members(flat: Any) -> Iterator[Member]:
    reference, first = weakref.ref(flat), {}
    own = flat._params or [None] * len(flat._param_infos)
    for index, (info, shape, place, parameter) in enumerate(
        zip(flat._param_infos, flat._shapes, flat._shard_param_infos, own, strict=True)
    ):
        shard = first[info.module, info.param_name] = _inside(reference, tuple(shape), place, index)
        yield Member(info.module, info.param_name, shard, parameter)
    shared = flat._shared_params or [None] * len(flat._shared_param_infos)
    for info, parameter in zip(flat._shared_param_infos, shared, strict=True):
        shard = first[info.prim_module, info.prim_param_name]
        yield Member(info.module, info.param_name, shard, parameter)


def _inside(flat: weakref.ref[Any], shape: Shape, place: Any, index: int) -> Shard:
    if not place.in_shard:
        return Shard(shape, Part("nothing", 0), ((0, 0),), flat, 0, index)
    start, stop = place.intra_param_start_idx, place.intra_param_end_idx + 1
    part = Part(f"values {start}:{stop}", stop - start)
    return Shard(shape, part, ((start, stop),), flat, place.offset_in_shard, index)
