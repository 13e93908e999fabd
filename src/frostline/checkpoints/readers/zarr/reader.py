"""Reads zarr folders, and Orbax checkpoints by what Orbax says of them: arrays by the keys that lead to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from frostline.checkpoints.checkpoint import Checkpoint, Tensor
from frostline.checkpoints.extras import mark
from frostline.checkpoints.files.file import File
from frostline.checkpoints.readers.format import Format
from frostline.checkpoints.readers.zarr import chunks, ocdbt
from frostline.checkpoints.readers.zarr.array import Array, Unread, version_2, version_3
from frostline.checkpoints.readers.zarr.store import Store, content, of_folder

ORBAX, TEXTS = "_METADATA", "_strings.json"
LARGEST_TEXT = 2**27
LONGEST_SHOWN = 64
ROOT = "array"
WAY_OUT = "open it with zarr and write it with numpy.savez"
VERSION_2, VERSION_3, ATTRIBUTES = ".zarray", "zarr.json", ".zattrs"

# What is no array, nor a part of one: by the whole name, or what the path begins with.
_BESIDE = (".zgroup", ".zmetadata", "_sharding", "_CHECKPOINT_METADATA", "commit_success.txt", ORBAX, TEXTS)
_BELOW = ("array_metadatas/", "d/", "ocdbt.process_", "manifest.")
_NO_ARRAYS = ("None", "Dict", "List", "Tuple", "NamedTuple", "string")


def known(file: File) -> bool:
    """Whether ``file`` is metadata of zarr or of Orbax, beside the arrays."""
    head = file.head
    return file.alone and head.lstrip()[:1] == b"{" and (b'"zarr_format"' in head or b'"tree_metadata"' in head)


def read(file: File) -> Checkpoint:
    """The arrays in the folder that ``file`` is in, none of them unpacked yet."""
    manifest = file.path.with_name("manifest.ocdbt")
    if manifest.is_file():
        file.close()
        return read_database(File(manifest))
    return _read(Checkpoint(file.path, "zarr", files=[file]), lambda checkpoint: of_folder(file))


def read_database(file: File) -> Checkpoint:
    """The arrays in the database whose manifest is ``file``, none of them unpacked yet."""
    return _read(Checkpoint(file.path, "zarr", files=[file]), ocdbt.entries)


def _read(checkpoint: Checkpoint, entries: Callable[[Checkpoint], Store]) -> Checkpoint:
    try:
        store = entries(checkpoint)
        for key in [key for key in store if PurePosixPath(key).name in (VERSION_2, VERSION_3, ATTRIBUTES)]:
            _take(checkpoint, store, key)
        for key in store:
            if not (PurePosixPath(key).name in _BESIDE or key.startswith(_BELOW)):
                checkpoint.add_unread(checkpoint.free_name(key), "belongs to no array")
        _add_orbax(checkpoint, checkpoint.path.parent)
    except BaseException:
        checkpoint.close()
        raise
    return checkpoint


def _take(checkpoint: Checkpoint, store: Store, key: str) -> None:
    """Take in what one text of metadata describes: an array, or attributes."""
    value = store.pop(key, None)
    if value is None:
        return
    if value.nbytes > LARGEST_TEXT:
        raise checkpoint.bad(f"its {key} is a text of {value.nbytes:,} bytes")
    data = _parsed(checkpoint, key, content(value))
    below, _, kind = key.rpartition("/")
    attributes = data if kind == ATTRIBUTES else data.get("attributes")
    if isinstance(attributes, dict):
        for name, each in attributes.items():
            checkpoint.add_extra(f"{below or ROOT}.{name}", _shown(each))
    if kind == VERSION_2 or data.get("node_type") == "array":
        _add(checkpoint, store, below, data, version_2 if kind == VERSION_2 else version_3)


def _add(
    checkpoint: Checkpoint, store: Store, path: str, data: dict[str, Any], describe: Callable[[dict[str, Any]], Array]
) -> None:
    name, prefix = path or ROOT, f"{path}/" if path else ""
    array = None
    try:
        array = describe(data)
        source = chunks.source(checkpoint.files[0], array, store, prefix)
    except Unread as reason:
        for key in [key for key in store if key.startswith(prefix)]:
            if PurePosixPath(key).name not in (VERSION_2, VERSION_3, ATTRIBUTES):
                del store[key]
        dtype, shape = (array.dtype, array.shape) if array else ("object", ())
        checkpoint.add_unknown(name, dtype, shape, f"an array {reason}; {WAY_OUT}")
        return
    checkpoint.add(Tensor(name, array.dtype, array.shape, source))


def _add_orbax(checkpoint: Checkpoint, folder: Path) -> None:
    """Take in what Orbax writes beside the arrays: the tree that they should make, and texts."""
    for name, take in ((ORBAX, _check_tree), (TEXTS, _add_texts)):
        path = folder / name
        if path.is_file():
            file = File(path)
            checkpoint.files.append(file)
            if file.size > LARGEST_TEXT:
                raise file.bad(f"is a text of {file.size:,} bytes")
            take(checkpoint, _parsed(checkpoint, name, file.read(0, file.size)))


def _check_tree(checkpoint: Checkpoint, data: dict[str, Any]) -> None:
    """List arrays of the tree that are not there, so that no proof passes over them."""
    checkpoint.kind = "orbax"
    tree = data.get("tree_metadata")
    for entry in tree.values() if isinstance(tree, dict) else ():
        try:
            name = ".".join(str(each["key"]) for each in entry["key_metadata"])
            kind = entry["value_metadata"]["value_type"]
        except (KeyError, TypeError):
            raise checkpoint.bad(f"its {ORBAX} does not say what is in it") from None
        if name and kind not in _NO_ARRAYS and name not in checkpoint.tensors:
            checkpoint.add_unread(name, f"in the tree of Orbax ({kind}), and no array of it is there")


def _add_texts(checkpoint: Checkpoint, data: dict[str, Any]) -> None:
    for name, value in data.items():
        checkpoint.add_extra(name, _shown(value))


def _shown(value: Any) -> str:
    """A value as a text that differs where two values do, and is not long."""
    text = json.dumps(value, sort_keys=True)
    return text if len(text) <= LONGEST_SHOWN else f"{len(text):,} characters ({mark(text)})"


def _parsed(checkpoint: Checkpoint, key: str, text: bytes) -> dict[str, Any]:
    try:
        data = json.loads(text.decode())
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise checkpoint.bad(f"its {key} is no table in JSON")
    return data


FORMAT = Format(
    "zarr and Orbax folders",
    file=(known, read),
    folder=("_METADATA", "*/_METADATA", ".zarray", "zarr.json", ".zgroup"),
)
DATABASE = Format(
    "databases of zarr arrays (OCDBT)",
    file=(ocdbt.known, read_database),
    folder=("manifest.ocdbt", "*/manifest.ocdbt"),
)
