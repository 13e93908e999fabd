"""Reads the weights in an archive of torch.export: a table in JSON and one plain file for each storage."""

from __future__ import annotations

import json
from typing import Any

from frostline.checkpoints.checkpoint import Checkpoint
from frostline.checkpoints.files.sources import Span
from frostline.checkpoints.files.zip_archive import Archive
from frostline.checkpoints.pickle import reading
from frostline.checkpoints.pickle.torch_tensors import Storage, View
from frostline.checkpoints.readers.format import Format

# The numbers of torch's types in the schema of exported programs.
TYPES = {
    1: "uint8",
    2: "int8",
    3: "int16",
    4: "int32",
    5: "int64",
    6: "float16",
    7: "float32",
    8: "float64",
    9: "complex32",
    10: "complex64",
    11: "complex128",
    12: "bool",
    13: "bfloat16",
    28: "uint16",
    29: "float8_e4m3fn",
    30: "float8_e5m2",
    31: "float8_e4m3fnuz",
    32: "float8_e5m2fnuz",
    33: "float8_e8m0fnu",
    34: "uint32",
    35: "uint64",
}
_TABLES = {"weights": "_weights_config.json", "constants": "_constants_config.json"}
LARGEST = 2**62


def known(archive: Archive) -> bool:
    """Whether a zip archive is one that torch.export writes."""
    return any(name.rpartition("/")[2] == "archive_format" for name in archive.entries)


def read(archive: Archive) -> Checkpoint:
    """The weights and the constant tensors of the exported programs in ``archive``."""
    file = archive.file
    root = next(name for name in archive.entries if name.rpartition("/")[2] == "archive_format")
    root = root.removesuffix("archive_format")
    checkpoint = Checkpoint(file.path, "torch.export", files=[file], uncompared=["the exported programs"])
    order = archive.content(f"{root}byteorder") if f"{root}byteorder" in archive.entries else b"little"
    tables = [
        (name.removeprefix(f"{root}data/{folder}/").removesuffix(ending), f"{root}data/{folder}/", name)
        for folder, ending in _TABLES.items()
        for name in archive.entries
        if name.startswith(f"{root}data/{folder}/") and name.endswith(ending)
    ]
    several = len({model for model, _, _ in tables}) > 1
    spans: dict[str, Span] = {}
    for model, folder, table in tables:
        for name, meta in _rows(archive, table):
            _take(checkpoint, archive, spans, folder, f"{model}.{name}" if several else name, meta, order == b"big")
    if not tables:
        raise file.bad("is an archive of torch.export without a table of weights", "export and save the model again")
    return checkpoint


def _rows(archive: Archive, table: str) -> list[tuple[str, dict[str, Any]]]:
    try:
        rows = json.loads(archive.content(table).decode())["config"]
        return [(str(name), dict(meta)) for name, meta in rows.items()]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise archive.file.bad(f"its table {table} cannot be read") from None


def _take(
    checkpoint: Checkpoint,
    archive: Archive,
    spans: dict[str, Span],
    folder: str,
    name: str,
    meta: dict[str, Any],
    swap: bool,
) -> None:
    if meta.get("use_pickle") or not isinstance(meta.get("tensor_meta"), dict):
        checkpoint.add_unread(name, "a pickled object, which is never loaded")
        return
    path = f"{folder}{meta.get('path_name')}"
    if path not in archive.entries:
        raise archive.file.bad(f"lacks {path}, which its table gives to {name!r}")
    if path not in spans:
        unpacked = archive.unpacked(path)
        checkpoint.files.append(unpacked)
        spans[path] = Span(unpacked, 0, unpacked.size)
    try:
        view = _view(path, meta["tensor_meta"])
    except (KeyError, TypeError, ValueError):
        raise archive.file.bad(f"its table describes {name!r} by no usable type, shape and strides") from None
    checkpoint.add(reading.tensor(archive.file, name, view, spans[path], swap))


def _view(path: str, meta: dict[str, Any]) -> View:
    shape = tuple(_number(size) for size in meta["sizes"])
    stride = tuple(_number(step) for step in meta["strides"])
    if len(shape) != len(stride):
        raise ValueError("as many strides as axes are needed")
    dtype = TYPES.get(meta["dtype"], f"torch-type-{meta['dtype']}")
    return View(Storage(path, dtype, 0), dtype, _number(meta["storage_offset"]), shape, stride)


def _number(value: Any) -> int:
    number = value["as_int"]
    if type(number) is not int or not 0 <= number <= LARGEST:
        raise ValueError("a size that is no size")
    return number


FORMAT = Format("torch.export (.pt2)", archive=(known, read))
