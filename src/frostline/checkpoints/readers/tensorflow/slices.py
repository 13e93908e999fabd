"""Variables that TensorFlow saved in slices: each slice has an entry of its own, and is a part of the whole."""

from __future__ import annotations

import math
from typing import NamedTuple

from frostline.checkpoints import dtypes
from frostline.checkpoints.checkpoint import Checkpoint, Tensor
from frostline.checkpoints.files.protobuf import BYTES, Field, Reader, signed
from frostline.checkpoints.files.tiles import LARGEST_ROW, Tile, Tiled, fills

WHOLE = -1  # the length of an axis that a slice has all of


class Sliced(NamedTuple):
    """What an index says of a sliced variable: its type and shape, and start and length of each slice in each axis."""

    dtype: str
    shape: tuple[int, ...]
    extents: list[list[tuple[int, int]]]


def extents(reader: Reader, message: Field) -> list[tuple[int, int]]:
    """Start and length in each axis: a TensorSliceProto."""
    found = []
    for extent in reader.fields(message.start, message.stop):
        if extent.number == 1 and extent.wire == BYTES:
            given = {field.number: signed(field.value) for field in reader.fields(extent.start, extent.stop)}
            found.append((given.get(1, 0), given.get(2, WHOLE)))
    return found


def join(checkpoint: Checkpoint, sliced: dict[str, Sliced]) -> None:
    """Put the slices of each variable together, where the entries for them are in the checkpoint.

    An entry's key is made of the variable's name and of the slice in an order-preserving code, so that the entries of
    a variable come in the order of its slices.
    """
    entries: dict[str, list[Tensor]] = {}
    for tensor in checkpoint.tensors.values():
        if tensor.name.startswith("\0"):
            entries.setdefault(tensor.name[1:].partition("\0")[0], []).append(tensor)
    for name, (dtype, shape, parts) in sliced.items():
        found = entries.get(name, [])
        boxes = [_box(part, shape) for part in sorted(parts)]
        if len(found) != len(boxes) or not fills(shape, boxes):
            raise checkpoint.bad(f"the slices of {name!r} do not fill its shape {list(shape)}")
        wanted = [(dtype, sizes, None) for _, sizes in boxes]
        if [(tensor.dtype, tensor.shape, tensor.unknown) for tensor in found] != wanted:
            raise checkpoint.bad(f"the slices of {name!r} are not of its type and shape")
        for tensor in found:
            del checkpoint.tensors[tensor.name]
        width = (dtypes.bits(dtype) or 8) // 8
        tiles = tuple(Tile(*box, tensor.source) for box, tensor in zip(boxes, found, strict=True))
        if not shape or math.prod(shape[1:]) * width > LARGEST_ROW:
            checkpoint.add_unknown(name, dtype, shape, "in slices too large to be put together")
        else:
            checkpoint.add(Tensor(name, dtype, shape, Tiled(shape, width, tiles), note=f"in {len(tiles):,} parts"))


def _box(part: list[tuple[int, int]], shape: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Where a slice begins, and its sizes."""
    sizes = tuple(extent if length == WHOLE else length for (_, length), extent in zip(part, shape, strict=False))
    return tuple(start for start, _ in part), sizes
