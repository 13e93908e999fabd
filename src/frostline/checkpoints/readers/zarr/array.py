"""What the metadata of one zarr array says, of version 2 or 3: its type, its shape, and how it is cut and packed."""

from __future__ import annotations

import base64
import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from frostline.checkpoints import dtypes

METHODS = {"zstd": "zstd", "gzip": "gzip", "zlib": "zlib", "bz2": "bzip2"}
CHECKSUM = "crc32c"
MOST_AXES = 32


class Unread(Exception):
    """Metadata of a kind that is not read; the text says what it is."""


@dataclass(frozen=True, slots=True)
class Cut:
    """How a box is cut into chunks, and what undoes the packing of each: names of methods, the last one first."""

    chunk: tuple[int, ...]
    steps: tuple[str, ...]
    checked: bool = False  # whether a checksum stands behind the index of a shard
    at_end: bool = True


@dataclass(frozen=True, slots=True)
class Array:
    """One array: chunks by their keys, and inside of each more of them where it is a shard (``inner``)."""

    dtype: str
    shape: tuple[int, ...]
    cut: Cut
    big: bool
    fill: bytes | None
    separator: str
    prefix: str
    inner: Cut | None = None

    @property
    def width(self) -> int:
        return (dtypes.bits(self.dtype) or 0) // 8

    def key(self, corner: tuple[int, ...]) -> str:
        """The key of a chunk below the array's own."""
        numbers = [str(number) for number in corner]
        if self.prefix:
            return self.separator.join([self.prefix, *numbers])
        return self.separator.join(numbers) or "0"


def version_2(data: dict[str, Any]) -> Array:
    """The array that a .zarray describes; Unread where it is of a kind that is not read."""
    shape, chunk = _extents(data.get("shape")), _extents(data.get("chunks"))
    code = data.get("dtype")
    dtype, big = _type_2(code)
    if data.get("filters"):
        raise Unread("filtered, which is not undone")
    if data.get("order") == "F" and len(shape) > 1:
        raise Unread("stored column by column, which is not read")
    packer = data.get("compressor")
    steps = (_method(packer.get("id") if isinstance(packer, dict) else packer),) if packer else ()
    separator = data.get("dimension_separator", ".")
    cut = Cut(_matching(shape, chunk), steps)
    return Array(dtype, shape, cut, big, _fill(data.get("fill_value"), dtype), _separator(separator), "")


def version_3(data: dict[str, Any]) -> Array:
    """The array that a zarr.json describes; Unread where it is of a kind that is not read."""
    shape, dtype = _extents(data.get("shape")), data.get("data_type")
    if isinstance(dtype, str) and re.fullmatch(r"r\d{1,5}", dtype):
        dtype = f"raw{dtype[1:]}"
    if not isinstance(dtype, str) or not dtypes.bits(dtype) or (dtypes.bits(dtype) or 0) % 8:
        raise Unread(f"of the type {dtype!r}, which is not read")
    grid, naming = _named(data.get("chunk_grid")), _named(data.get("chunk_key_encoding"))
    if grid[0] != "regular" or naming[0] not in ("default", "v2"):
        raise Unread(f"cut by a {grid[0]} grid with {naming[0]} keys, which is not read")
    is_default = naming[0] == "default"
    separator = _separator(naming[1].get("separator", "/" if is_default else "."))
    chunk = _matching(shape, _extents(grid[1].get("chunk_shape")))
    first, steps = _codecs(data.get("codecs"))
    inner = None
    if first[0] == "sharding_indexed":
        first, inner = _sharded(first[1], chunk)
    big = first[1].get("endian") == "big"
    fill = _fill(data.get("fill_value"), dtype)
    return Array(dtype, shape, Cut(chunk, steps), big, fill, separator, "c" if is_default else "", inner)


def _sharded(options: dict[str, Any], shard: tuple[int, ...]) -> tuple[tuple[str, dict[str, Any]], Cut]:
    chunk = _matching(shard, _extents(options.get("chunk_shape")))
    if any(extent % edge for extent, edge in zip(shard, chunk, strict=True)):
        raise Unread("a shard that its chunks do not fill")
    first, steps = _codecs(options.get("codecs"))
    index, behind = _codecs(options.get("index_codecs"))
    if first[0] != "bytes" or index[0] != "bytes" or index[1].get("endian") == "big" or set(behind) - {CHECKSUM}:
        raise Unread("a shard in shards, or whose index is packed, which is not read")
    place = options.get("index_location", "end")
    return first, Cut(chunk, steps, checked=bool(behind), at_end=place == "end")


def _codecs(listed: Any) -> tuple[tuple[str, dict[str, Any]], tuple[str, ...]]:
    """The codec that makes bytes of an array, and what undoes those behind it, the last one first."""
    found = [_named(each) for each in listed] if isinstance(listed, list) else []
    if not found or found[0][0] not in ("bytes", "sharding_indexed"):
        raise Unread(f"encoded by {found[0][0] if found else 'nothing'}, which is not read")
    steps = [name if name == CHECKSUM else _method(name) for name, _ in found[1:]]
    return found[0], tuple(reversed(steps))


def _named(item: Any) -> tuple[str, dict[str, Any]]:
    """A name and its configuration, which version 3 writes as one object or as the name alone."""
    if isinstance(item, str):
        return item, {}
    options = item.get("configuration") or {} if isinstance(item, dict) else None
    if not isinstance(options, dict) or not isinstance(item.get("name"), str):
        raise Unread("described in a way that is not known")
    return item["name"], options


def _method(name: Any) -> str:
    if name not in METHODS:
        raise Unread(f"packed with {name}, which is not read")
    return METHODS[name]


def _type_2(code: Any) -> tuple[str, bool]:
    """The type by version 2's name, and whether it is stored big end first."""
    if isinstance(code, str) and dtypes.bits(code) and not code.startswith("raw"):
        return code, False  # as tensorstore names what numpy has no code for
    try:
        found = np.dtype(code) if isinstance(code, str) else None
    except (TypeError, ValueError, SyntaxError):
        found = None
    if found is None or found.hasobject or not found.itemsize:
        raise Unread(f"of the type {code!r}, which is not read")
    return dtypes.from_numpy(found), found.byteorder == ">"


def _extents(numbers: Any) -> tuple[int, ...]:
    if not isinstance(numbers, list) or len(numbers) > MOST_AXES or any(type(n) is not int or n < 0 for n in numbers):
        raise Unread("without a usable shape")
    if math.prod(number or 1 for number in numbers) > 2**62:
        raise Unread("of an absurd shape")
    return tuple(numbers)


def _matching(shape: tuple[int, ...], chunk: tuple[int, ...]) -> tuple[int, ...]:
    if len(shape) != len(chunk) or not all(chunk):
        raise Unread("cut into chunks of another number of axes, or of none")
    return chunk


def _separator(mark: Any) -> str:
    if mark not in (".", "/"):
        raise Unread(f"with {mark!r} in its keys")
    return str(mark)


def _fill(value: Any, dtype: str) -> bytes | None:
    """One element that was never written, or None where the metadata gives none that is understood."""
    width = (dtypes.bits(dtype) or 0) // 8
    if isinstance(value, str) and value.startswith("0x"):
        digits = bytes.fromhex(value[2:]) if re.fullmatch(r"0x([0-9a-fA-F]{2})+", value) else b""
        return digits[::-1] if len(digits) == width else None
    if dtype.startswith("raw") and isinstance(value, str):
        try:
            data = base64.b64decode(value, validate=True)
        except ValueError:
            return None
        return data if len(data) == width else None
    kind = dtypes.numeric(dtype)
    if kind is None or value is None or isinstance(value, dict) or (isinstance(value, list) and kind.kind != "c"):
        return None
    try:
        number = complex(*map(float, value)) if isinstance(value, list) else value
        with np.errstate(all="ignore"):
            found = np.array(float(number) if isinstance(number, str) else number)
            return found.astype(kind).tobytes() if found.dtype.kind in "biufc" and found.ndim == 0 else None
    except (TypeError, ValueError, OverflowError):
        return None
