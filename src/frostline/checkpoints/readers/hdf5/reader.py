"""Reads HDF5 files as Keras writes them: another process lists the datasets, their bytes are read from here."""

from __future__ import annotations

import base64
import importlib.util
import itertools
import json
import math
import signal
import subprocess
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from frostline.checkpoints import dtypes
from frostline.checkpoints.checkpoint import Checkpoint, Tensor
from frostline.checkpoints.files.file import File
from frostline.checkpoints.files.sources import PIECE, Held, Piece, Repeated, Source, Span, Swapped, regrouped
from frostline.checkpoints.files.zip_archive import HARMLESS_EXPANSION, LARGEST_RATIO
from frostline.checkpoints.readers.format import Format
from frostline.checkpoints.readers.hdf5.layer_names import named_by_user
from frostline.core.storage_overlap import Span as Extent
from frostline.errors import CheckpointError

MAGIC = b"\x89HDF\r\n\x1a\n"
SECONDS = 60
ALONE = "copy what is wanted into a plain file of its own, with h5copy or h5py"
LARGEST_SLAB = 2**28


def known(file: File) -> bool:
    """Whether ``file`` is an HDF5 file, with or without a user block in front."""
    head = file.head
    return any(head[start : start + 8] == MAGIC for start in (0, 512, 1024, 2048))


def read(file: File) -> Checkpoint:
    """The datasets in ``file`` by their paths, none of them read yet."""
    found = _listed(file)
    checkpoint = Checkpoint(file.path, "hdf5", files=[file], uncompared=["texts in attributes"])
    names = named_by_user(found["names"], list(found["datasets"]))
    checkpoint.layer_names, checkpoint.paths = found["names"], {name: path for path, name in names.items()}
    for path, entry in found["datasets"].items():
        name = names[path]
        if "empty" in entry:
            checkpoint.extras[name] = "an empty dataset"
            continue
        if "unread" in entry:
            checkpoint.add_unread(name, entry["unread"])
            continue
        shape = tuple(entry["shape"])
        dtype, note = _element_type(entry)
        unknown = entry.get("unknown") or _too_much(entry)
        if unknown:
            checkpoint.add_unknown(name, dtype, shape, unknown)
            continue
        source = _source(file, name, entry)
        extent = Extent((file, entry["address"]), 0, source.nbytes)
        checkpoint.add(Tensor(name, dtype, shape, source, extent, note=note))
    for name, entry in found["attributes"].items():
        _add_attribute(checkpoint, name, entry)
    return checkpoint


def _add_attribute(checkpoint: Checkpoint, name: str, entry: dict[str, Any]) -> None:
    """Take in numbers that an attribute has: a single one as a value, several as a tensor."""
    kind = np.dtype(entry["dtype"]).newbyteorder("<")
    data, shape = base64.b64decode(entry["data"]), tuple(entry["shape"])
    if math.prod(shape) == 1:
        value = np.frombuffer(data, kind)[0]
        checkpoint.add_extra(name, f"{value}" if value == value else f"nan ({data.hex()})")
    else:
        checkpoint.add(Tensor(name, dtypes.from_numpy(kind), shape, Held(data), note="an attribute"))


def _listed(file: File) -> dict[str, Any]:
    if importlib.util.find_spec("h5py") is None:
        raise CheckpointError(f"{file.path}: HDF5 files need the package h5py", "pip install 'frostline[checkpoints]'")
    command = [sys.executable, "-P", str(Path(__file__).with_name("child.py")), str(file.start), str(file.size)]
    try:
        child = subprocess.run(command, stdin=file.fileno(), capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise file.bad(f"keeps the HDF5 library busy for more than {SECONDS} seconds") from None
    if hasattr(signal, "SIGXCPU") and child.returncode == -signal.SIGXCPU:
        raise file.bad("keeps the HDF5 library busy for longer than a file of its size can")
    if child.returncode:
        raise file.bad("makes the HDF5 library fail")
    found: dict[str, Any] = json.loads(child.stdout)
    if "refused" in found:
        raise file.bad(found["refused"], *([ALONE] if found.get("sound") else []))
    return found


def _element_type(entry: dict[str, Any]) -> tuple[str, str]:
    """The type by the file's own label where numpy has no word for it, and a note where nobody has."""
    found = np.dtype(entry["dtype"])
    dtype, label = dtypes.from_numpy(found), entry["label"]
    if not dtype.startswith("raw"):
        return dtype, ""
    if label in dtypes.BITS and dtypes.BITS[label] == 8 * found.itemsize:
        return label, ""
    return dtype, f"HDF5 type {found.str} without a name; compared as bytes"


def _too_much(entry: dict[str, Any]) -> str:
    """Why a dataset of far more bytes than the file holds is left alone; empty for all others."""
    nbytes = math.prod(entry["shape"]) * np.dtype(entry["dtype"]).itemsize
    chunks = entry.get("chunks")
    stored = entry.get("stored", nbytes) if chunks is None else sum(row[-2] for row in chunks)
    if nbytes <= HARMLESS_EXPANSION or nbytes <= LARGEST_RATIO * stored:
        return ""
    return f"its {stored:,} bytes claim to unpack to {nbytes:,}" if stored else "large, and never written"


def _source(file: File, name: str, entry: dict[str, Any]) -> Source:
    kind = np.dtype(entry["dtype"])
    nbytes = math.prod(entry["shape"]) * kind.itemsize
    fill = base64.b64decode(entry["fill"]) if entry.get("fill") else bytes(kind.itemsize)
    source: Source
    if entry["layout"] == "compact":
        source = Held(base64.b64decode(entry["data"]))
    elif entry["layout"] == "chunked":
        source = _chunked(file, name, entry, fill)
    elif entry["offset"] is None:
        source = Repeated(fill, nbytes // max(1, len(fill)))
    else:
        if entry["stored"] != nbytes or entry["offset"] + nbytes > file.size:
            raise file.bad(f"ends inside {name!r}, or states a wrong size for it")
        source = Span(file, entry["offset"], nbytes)
    if kind.byteorder == ">":
        source = Swapped(source, kind.itemsize // 2 if kind.kind == "c" else kind.itemsize)
    return source


def _chunked(file: File, name: str, entry: dict[str, Any], fill: bytes) -> Source:
    shape, chunk, axes = tuple(entry["shape"]), tuple(entry["chunk"]), len(entry["shape"])
    slab = min(chunk[0], max(1, shape[0])) * math.prod(shape[1:]) * len(fill)
    if max(slab, math.prod(chunk) * len(fill)) > LARGEST_SLAB:
        raise file.bad(f"{name!r} is cut into chunks too large to unpack", "save it with smaller chunks or without")
    table = {}
    for row in entry["chunks"]:
        offset, size, mask = row[axes:]
        if offset + size > file.size or size > math.prod(chunk) * len(fill) + 2**16:
            raise file.bad(f"ends inside {name!r}, or states a wrong size for it")
        table[tuple(row[:axes])] = (offset, size, mask)
    return Chunked(file, shape, chunk, tuple(entry["filters"]), table, fill)


@dataclass(frozen=True, slots=True)
class Chunked:
    """A dataset cut into chunks, each perhaps packed; one row of chunks is in memory at a time."""

    file: File
    shape: tuple[int, ...]
    chunk: tuple[int, ...]
    filters: tuple[str, ...]
    table: dict[tuple[int, ...], tuple[int, int, int]]
    fill: bytes

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * len(self.fill)

    def pieces(self, size: int = PIECE) -> Iterator[Piece]:
        return regrouped(self._slabs(), size) if self.nbytes else iter(())

    def _slabs(self) -> Iterator[bytes]:
        width = len(self.fill)
        for top in range(0, self.shape[0], self.chunk[0]):
            rows = min(self.chunk[0], self.shape[0] - top)
            slab = np.full((rows, *self.shape[1:]), np.frombuffer(self.fill, f"V{width}")[0])
            grid = [range(0, extent, step) for extent, step in zip(self.shape[1:], self.chunk[1:], strict=True)]
            for corner in itertools.product(*grid):
                place = self.table.get((top, *corner))
                if place is None:
                    continue
                target = slab[
                    (slice(None), *(slice(at, at + step) for at, step in zip(corner, self.chunk[1:], strict=True)))
                ]
                chunk = np.frombuffer(self._unpacked(*place), f"V{width}").reshape(self.chunk)
                target[...] = chunk[tuple(slice(extent) for extent in target.shape)]
            yield slab.tobytes()

    def _unpacked(self, offset: int, size: int, skipped: int) -> bytes:
        expected = math.prod(self.chunk) * len(self.fill)
        data = self.file.read(offset, size)
        for index, name in reversed(list(enumerate(self.filters))):
            if skipped >> index & 1:
                continue
            if name == "fletcher32":
                data = data[:-4]
            elif name == "deflate":
                data = self._inflated(data, expected + 4)
            else:
                data = self._unshuffled(data)
        if len(data) != expected:
            raise self.file.bad("holds a chunk of the wrong size")
        return data

    def _inflated(self, data: bytes, most: int) -> bytes:
        try:
            return zlib.decompressobj().decompress(data, most)
        except zlib.error:
            raise self.file.bad("holds compressed data that cannot be unpacked") from None

    def _unshuffled(self, data: bytes) -> bytes:
        width = len(self.fill)
        whole = len(data) // width * width
        return np.frombuffer(data[:whole], np.uint8).reshape(width, -1).T.tobytes() + data[whole:]


FORMAT = Format("HDF5 (.h5, .weights.h5)", file=(known, read), folder=("*.weights.json", "*.weights.h5"))
