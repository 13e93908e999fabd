"""What is written of ShardedTensors, as FSDP1 makes of flat parameters: rows, where a process holds other values."""

from __future__ import annotations

import math
from typing import Any

import torch

from frostline.frameworks.torch.tensors.tensors import NamedTensor, dtype_name, host_part
from frostline.observe.protocols import LiveTensor, Unreadable
from frostline.observe.tensor_match import Written


def is_sharded(tensor: Any) -> bool:
    """Whether it is a ShardedTensor, which supports next to nothing that a tensor does."""
    return hasattr(type(tensor), "local_shards")


class NoBytes:
    """Of a ShardedTensor no process has all bytes."""

    def part(self, start: int, stop: int) -> bytes:
        """See Readable."""
        raise Unreadable("each process writes some rows of it")


class Rows:
    """The part of a tensor that this process holds, with what it writes in the place of its own values.

    Args:
        entry: the tensor, in a flat parameter.
        written: the first value of each shard that is written, and the shard.
    """

    def __init__(self, entry: NamedTensor, written: list[tuple[int, torch.Tensor]]) -> None:
        self._entry = entry
        shard = entry.shard
        if shard is None or shard.box is None or len(shard.box) != 1:
            raise Unreadable("which part of it this process holds cannot be told")
        begin, end = shard.box[0]
        common = [(max(begin, first), min(end, first + each.numel()), first, each) for first, each in written]
        common = [piece for piece in common if piece[0] < piece[1]]
        self._pieces = [
            (low - begin, high - begin, each[low - first :]) for low, high, first, each in common if low < high
        ]
        if not self._pieces:
            raise Unreadable("this process writes other rows of it than those that it holds")

    def part(self, start: int, stop: int) -> bytes:
        """See Readable."""
        content = bytearray(self._entry.part(start, stop))
        for low, high, values in self._pieces:
            width = values.element_size()
            first, last = max(start, low * width), min(stop, high * width)
            if first < last:
                content[first - start : last - start] = host_part(values, first - low * width, last - low * width)
        return bytes(content)


def written(tensor: Any, section: str, name: str, together: bool) -> Written:
    """What is written of a ShardedTensor, which is known where all processes write ``together``."""
    whole = tensor.metadata()
    shape = tuple(whole.size)
    shards = [(each.metadata.shard_offsets, each.tensor.detach()) for each in tensor.local_shards()]
    dtype = whole.tensor_properties.dtype
    inner = math.prod(shape[1:])
    known = together and all(not any(offsets[1:]) and tuple(each.shape[1:]) == shape[1:] for offsets, each in shards)
    rows = [(offsets[0] * inner if offsets else 0, each.contiguous().reshape(-1)) for offsets, each in shards]

    def cut(entry: LiveTensor) -> Written:
        if not known or not isinstance(entry, NamedTensor):
            raise Unreadable("which values of it this process writes cannot be told")
        return Written("", "", shape, entry.row.dtype, entry.row.bytes_here, Rows(entry, rows))

    size = math.prod(shape) * torch.empty(0, dtype=dtype).element_size()
    return Written(name, section, shape, dtype_name(torch.empty(0, dtype=dtype)), size, NoBytes(), cut=cut)
