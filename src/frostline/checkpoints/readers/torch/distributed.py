"""Reads the folders of torch.distributed.checkpoint: a pickled table of parts, and files that hold them."""

from __future__ import annotations

import dataclasses
import io
import math
from typing import Any

from frostline.checkpoints import dtypes
from frostline.checkpoints.checkpoint import Checkpoint, Tensor
from frostline.checkpoints.files.file import File, Window
from frostline.checkpoints.files.siblings import sibling
from frostline.checkpoints.files.tiles import LARGEST_ROW, Tile, Tiled, fills
from frostline.checkpoints.pickle import reading
from frostline.checkpoints.pickle.records import Call, Global, Items, Pairs
from frostline.checkpoints.pickle.torch_tensors import Unusable, attributes, counts
from frostline.checkpoints.readers.format import Format, Open
from frostline.checkpoints.readers.torch import save

TABLE = "torch.distributed.checkpoint.metadata"
MOST_PARTS = 200_000

Place = tuple[str, tuple[int, ...]]  # a tensor's name, and where a part of it begins


def known(file: File) -> bool:
    """Whether ``file`` is the table of a distributed checkpoint, with its parts beside it."""
    return file.alone and save.known(file) and TABLE.encode() in file.head


def read(file: File, open_part: Open) -> Checkpoint:
    """The whole tensors of the checkpoint whose table is ``file``, put together from their parts."""
    machine = reading.run(io.BufferedReader(Window(file), 2**16), file)
    checkpoint = Checkpoint(file.path.parent, "torch.distributed", files=[file])
    try:
        table = _members(machine.value)
        parts = _Parts(checkpoint, table, open_part)
        for name, record in _pairs(table.get("state_dict_metadata")):
            if not isinstance(name, str) or not isinstance(record, Call):
                raise Unusable
            if str(record.function).endswith(".TensorStorageMetadata"):
                _add_tensor(checkpoint, name, _members(record), parts)
            else:
                _add_object(checkpoint, name, parts)
    except (Unusable, ValueError, TypeError, IndexError, KeyError, AttributeError):
        checkpoint.close()
        raise file.bad("its table is not as torch writes it") from None
    except BaseException:
        checkpoint.close()
        raise
    parts.add_unused()
    return checkpoint


class _Parts:
    """The parts that a table lists, each opened where it lies in its file."""

    def __init__(self, checkpoint: Checkpoint, table: dict[str, Any], open_part: Open) -> None:
        self._checkpoint, self._table, self._open_part = checkpoint, checkpoint.files[0], open_part
        self._files: dict[str, File] = {}
        self._places: dict[Place, dict[str, Any]] = {}
        for index, info in _pairs(table.get("storage_data")):
            key = _members(index)
            begin = counts(key["offset"]) if key.get("offset") is not None else ()
            if not isinstance(key.get("fqn"), str) or (key["fqn"], begin) in self._places:
                raise Unusable
            self._places[key["fqn"], begin] = _members(info)
        if len(self._places) > MOST_PARTS:
            raise self._table.bad(f"lists {len(self._places):,} parts; at most {MOST_PARTS:,} are read")
        self._refuse_shared()
        self._left = set(self._places)

    def _refuse_shared(self) -> None:
        """Refuse parts that share bytes: no writer makes them, and reading them could take any time."""
        ends: dict[str, int] = {}
        for info in sorted(self._places.values(), key=lambda info: (info["relative_path"], info["offset"])):
            where, offset, length = info["relative_path"], info["offset"], info["length"]
            if not isinstance(where, str) or type(offset) is not int or type(length) is not int:
                raise Unusable
            if offset < ends.get(where, 0):
                raise self._table.bad(f"lists two parts that share bytes of {where!r}")
            ends[where] = offset + max(0, length)

    def opened(self, name: str, begin: tuple[int, ...]) -> Checkpoint | str:
        """What one part holds, or why it cannot be read."""
        self._left.discard((name, begin))
        info = self._places.get((name, begin))
        if info is None:
            raise self._table.bad(f"lists no file for a part of {name!r}")
        if info.get("transform_descriptors"):
            return "its parts were transformed when they were written"
        where, offset, length = info["relative_path"], info["offset"], info["length"]
        if where not in self._files:
            self._files[where] = File(sibling(self._table, where))
            self._checkpoint.files.append(self._files[where])
        part = self._open_part(self._files[where].part(offset, length))
        self._checkpoint.files += part.files
        return part

    def add_unused(self) -> None:
        """List parts that belong to nothing in the table."""
        for number, (name, begin) in enumerate(sorted(self._left)):
            self._checkpoint.add_unread(f"{name} (part {number})", f"a part at {list(begin)} that no tensor refers to")


def _add_tensor(checkpoint: Checkpoint, name: str, record: dict[str, Any], parts: _Parts) -> None:
    shape, dtype = counts(record["size"]), _dtype(record["properties"])
    boxes = [
        (counts(members["offsets"]), counts(members["sizes"])) for members in map(_members, record["chunks"].items)
    ]
    if not fills(shape, boxes):
        raise checkpoint.files[0].bad(f"the parts of {name!r} do not fill its shape {list(shape)}")
    tiles = []
    for offsets, sizes in boxes:
        part = parts.opened(name, offsets)
        tensor = part if isinstance(part, str) else _only(part)
        if isinstance(tensor, str):
            checkpoint.add_unknown(name, dtype, shape, tensor)
            return
        if (tensor.dtype, tensor.shape) != (dtype, sizes):
            raise checkpoint.files[0].bad(
                f"lists {dtype} {list(sizes)} for a part of {name!r} that is {tensor.dtype} {list(tensor.shape)}"
            )
        tiles.append(Tile(offsets, sizes, tensor.source))
    if len(tiles) == 1:
        checkpoint.add(Tensor(name, dtype, shape, tiles[0].source))
        return
    bits = dtypes.bits(dtype)
    if not bits or bits % 8 or math.prod(shape[1:]) * bits // 8 > LARGEST_ROW:
        checkpoint.add_unknown(name, dtype, shape, "in parts of a type or a size that are not put together")
        return
    checkpoint.add(Tensor(name, dtype, shape, Tiled(shape, bits // 8, tuple(tiles)), note=f"in {len(tiles):,} parts"))


def _only(part: Checkpoint) -> Tensor | str:
    """The one tensor in a part, or why there is none that can be read."""
    if len(part.tensors) != 1:
        return f"a part of it holds {len(part.tensors):,} tensors, not one"
    tensor = next(iter(part.tensors.values()))
    return tensor.unknown or tensor


def _add_object(checkpoint: Checkpoint, name: str, parts: _Parts) -> None:
    """Take in a pickled object: the tensors in it, or the value that it is."""
    part = parts.opened(name, ())
    if isinstance(part, str):
        checkpoint.add_unread(name, part)
        return
    for inner, tensor in part.tensors.items():
        checkpoint.add(dataclasses.replace(tensor, name=name if inner == "tensor" else f"{name}.{inner}"))
    for inner, value in part.extras.items():
        checkpoint.extras[name if inner == "tensor" else f"{name}.{inner}"] = value


def _members(record: Any) -> dict[str, Any]:
    """The attributes of a recorded object, by their names."""
    if not isinstance(record, Call):
        raise Unusable
    return {suffix[1:]: value for suffix, value in attributes([record.state])}


def _pairs(record: Any) -> list[tuple[Any, Any]]:
    if not isinstance(record, Pairs):
        raise Unusable
    return record.pairs


def _dtype(properties: Any) -> str:
    state = properties.state
    first = state.items[0] if isinstance(state, Items) else state[0]
    if not isinstance(first, Global) or first.module != "torch":
        raise Unusable
    return first.name


FORMAT = Format("torch.distributed.checkpoint folders", container=(known, read), folder=(".metadata",))
