"""Run as a process of its own: lists the datasets of the HDF5 file on standard input as JSON, and reads no data.

The HDF5 library is large and written in C; a file made to break it breaks this process and not the one that asked.
Links that leave the file are refused before anything is opened through them.
"""

from __future__ import annotations

import base64
import io
import json
import os
import sys
from typing import Any

import h5py
import numpy as np
from h5py import h5d, h5g, h5l, h5o, h5s, h5z

MOST_OBJECTS = 1_000_000
MOST_IN_ATTRIBUTES = 2**26
MOST_CHUNKS = 2_000_000
DEEPEST = 64
SECONDS, SECONDS_PER_MIB, MOST_SECONDS = 5.0, 1.0, 30.0  # of processor time, imports included
MEMORY = 2 * 2**30

_FILTERS = {h5z.FILTER_DEFLATE: "deflate", h5z.FILTER_SHUFFLE: "shuffle", h5z.FILTER_FLETCHER32: "fletcher32"}
_LAYOUTS = {h5d.COMPACT: "compact", h5d.CONTIGUOUS: "contiguous", h5d.CHUNKED: "chunked"}


class Refused(Exception):
    """A file that is sound for HDF5 and not for us; the text says why."""


class Input(io.RawIOBase):
    """Part of the file on standard input; every read has its own position, so the descriptor may be shared."""

    def __init__(self, start: int, size: int) -> None:
        self._start, self._size, self._at = start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = max(0, offset + (0, self._at, self._size)[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        count = max(0, min(len(view), self._size - self._at))
        data = self._read(count)
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _read(self, count: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(0, count, self._start + self._at)
        os.lseek(0, self._start + self._at, os.SEEK_SET)
        return os.read(0, count)


def listed(file: h5py.File) -> dict[str, Any]:
    """Every dataset under its path, soft links resolved last; a group is entered once, whatever links lead there."""
    datasets: dict[str, Any] = {}
    names: dict[str, str] = {}
    numbers: dict[str, Any] = {}
    soft: list[str] = []
    seen: set[int] = set()

    def visit(group: h5g.GroupID, path: str, depth: int) -> None:
        if depth > DEEPEST or len(datasets) + len(seen) + len(soft) > MOST_OBJECTS:
            raise Refused("holds groups nested too deep, or too many objects")
        address = h5o.get_info(group).addr
        if address in seen:
            raise Refused(f"links the group {path or '/'!r} into itself or in twice")
        seen.add(address)
        numbers.update(_numbers(group, path))
        name = _attribute(group, b"name")
        if name is not None:
            names[path] = name
        for index in range(group.get_num_objs()):
            link = group.get_objname_by_idx(index)
            below = f"{path}/{link.decode()}" if path else link.decode()
            kind = group.links.get_info(link).type
            if kind == h5l.TYPE_SOFT:
                soft.append(below)
            elif kind != h5l.TYPE_HARD:
                raise Refused(f"its link {below!r} leads to another file, which is never followed")
            else:
                _enter(group, link, below, depth)

    def _enter(group: h5g.GroupID, link: bytes, below: str, depth: int) -> None:
        member = h5o.open(group, link)
        if isinstance(member, h5g.GroupID):
            visit(member, below, depth + 1)
        elif isinstance(member, h5d.DatasetID):
            datasets[below] = described(member, below)
            numbers.update(_numbers(member, below))

    root = h5g.open(file.id, b"/")
    visit(root, "", 0)
    for path in soft:
        try:
            target = h5o.open(root, path.encode())
        except (KeyError, RuntimeError, OSError, ValueError):
            raise Refused(f"its soft link {path!r} leads nowhere or in a circle") from None
        if not isinstance(target, h5d.DatasetID):
            raise Refused(f"its soft link {path!r} leads to a group, which is not followed")
        datasets[path] = described(target, path)
    if sum(len(each["data"]) for each in numbers.values()) > MOST_IN_ATTRIBUTES:
        raise Refused("keeps more numbers in attributes than are read")
    return {"datasets": datasets, "names": names, "attributes": numbers}


def described(dataset: h5d.DatasetID, path: str) -> dict[str, Any]:
    """What is needed to read one dataset without the HDF5 library, or ``unknown`` with the reason."""
    space = dataset.get_space()
    if space.get_simple_extent_type() == h5s.NULL:
        return {"empty": True}
    shape = space.get_simple_extent_dims()
    kind = dataset.get_type()
    try:
        dtype = dataset.dtype
    except TypeError:
        dtype = None
    if dtype is not None and dtype.hasobject:
        return {"unread": "text or lists of any length, or references"}
    entry: dict[str, Any] = {
        "shape": shape,
        "dtype": f"|V{kind.get_size()}" if dtype is None else dtype.str,
        "label": _attribute(dataset, b"dtype"),
        "address": h5o.get_info(dataset).addr,
    }
    properties = dataset.get_create_plist()
    if dtype is not None:
        entry["fill"] = _fill(properties, dtype)
    if properties.get_external_count():
        raise Refused(f"its dataset {path!r} keeps its bytes in another file, which is never opened")
    layout = _LAYOUTS.get(properties.get_layout())
    if layout is None:
        raise Refused(f"its dataset {path!r} is a virtual one, made of other files")
    entry["layout"] = layout
    if layout == "contiguous":
        stored = dataset.get_storage_size()
        entry["offset"], entry["stored"] = dataset.get_offset() if stored else None, stored
    elif layout == "chunked":
        entry |= _chunked(dataset, properties)
    else:
        entry["data"] = _compact(dataset, space, kind)
    return entry


def _chunked(dataset: h5d.DatasetID, properties: Any) -> dict[str, Any]:
    codes = [properties.get_filter(index)[0] for index in range(properties.get_nfilters())]
    strange = [code for code in codes if code not in _FILTERS]
    if strange:
        return {"unknown": f"packed with HDF5 filter {strange[0]}, which is not read"}
    count = dataset.get_num_chunks()
    if count > MOST_CHUNKS:
        return {"unknown": f"cut into {count:,} chunks, more than are read"}
    found = _chunks(dataset, count)
    chunks = [[*chunk.chunk_offset, chunk.byte_offset, chunk.size, chunk.filter_mask] for chunk in found]
    return {"chunk": properties.get_chunk(), "filters": [_FILTERS[code] for code in codes], "chunks": chunks}


def _chunks(dataset: h5d.DatasetID, count: int) -> list[Any]:
    """Where each chunk lies; asked for one by one, each would be looked for from the first on."""
    if not hasattr(dataset, "chunk_iter"):  # h5py over an HDF5 older than 1.12.3
        return [dataset.get_chunk_info(index) for index in range(count)]
    found: list[Any] = []
    dataset.chunk_iter(found.append)
    return found


def _fill(properties: Any, dtype: Any) -> str:
    """The bytes of one element that was never written."""
    value = np.zeros((), dtype)
    properties.get_fill_value(value)
    return base64.b64encode(value.tobytes()).decode()


def _compact(dataset: h5d.DatasetID, space: h5s.SpaceID, kind: Any) -> str:
    """The bytes of a small dataset that lie in its header; HDF5 keeps them under 64 KiB."""
    buffer = bytearray(space.get_simple_extent_npoints() * kind.get_size())
    if buffer:
        dataset.read(h5s.ALL, h5s.ALL, np.frombuffer(buffer, np.uint8), kind)
    return base64.b64encode(buffer).decode()


def _attribute(holder: Any, name: bytes) -> str | None:
    """A short text attribute, or None where there is none."""
    if not h5py.h5a.exists(holder, name):
        return None
    value = h5py.AttributeManager(_Holder(holder)).get(name.decode())
    value = value.decode() if isinstance(value, bytes) else value
    return value if isinstance(value, str) and len(value) < 256 else None


def _numbers(holder: Any, path: str) -> dict[str, Any]:
    """The attributes of an object that are numbers, by its path and their names; the others are texts or references."""
    found: dict[str, Any] = {}
    for index in range(h5py.h5a.get_num_attrs(holder)):
        attribute = h5py.h5a.open(holder, index=index)
        space, dtype = attribute.get_space(), _numeric(attribute)
        if dtype is not None and space.get_simple_extent_type() != h5s.NULL:
            values = np.zeros(attribute.shape, dtype)
            attribute.read(values)
            data = base64.b64encode(values.astype(dtype.newbyteorder("<")).tobytes()).decode()
            found[f"{path}@{attribute.name.decode()}"] = {"shape": attribute.shape, "dtype": dtype.str, "data": data}
    return found


def _numeric(attribute: Any) -> np.dtype[Any] | None:
    try:
        dtype = attribute.dtype
    except TypeError:
        return None
    return dtype if dtype.kind in "biufc" else None


class _Holder:
    """What h5py's attribute reader wants around a low-level object."""

    def __init__(self, identifier: Any) -> None:
        self.id = identifier


def main(start: int, size: int) -> int:
    """List the file; on failure print one line and return 2."""
    _limit(seconds(size))
    try:
        with h5py.File(io.BufferedReader(Input(start, size), 2**16), "r") as file:
            json.dump(listed(file), sys.stdout)
    except Refused as error:
        print(json.dumps({"refused": str(error), "sound": True}))
    except UnicodeError:
        print(json.dumps({"refused": "holds a name that is not UTF-8"}))
    except Exception as error:  # whatever the library makes of a damaged file
        print(json.dumps({"refused": f"is not a sound HDF5 file ({type(error).__name__})"}))
    return 0


def seconds(size: int) -> int:
    """The processor time that listing a file of so many bytes may take: what a file can hold grows with its size.

    >>> seconds(5_000), seconds(10 * 2**20), seconds(2**40)
    (5, 15, 30)
    """
    return int(min(MOST_SECONDS, SECONDS + SECONDS_PER_MIB * size / 2**20))


def _limit(seconds: int) -> None:
    """Bound this process, so that a hostile file costs seconds and no more."""
    try:
        import resource
    except ImportError:  # no such limits on this system; the parent's time limit stays
        return
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
