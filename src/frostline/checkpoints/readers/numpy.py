"""Reads numpy's .npz archives and single .npy files; arrays of Python objects are taken apart, never loaded."""

from __future__ import annotations

import io
import math
import warnings

import numpy as np

from frostline.checkpoints import dtypes
from frostline.checkpoints.checkpoint import REST, Checkpoint, Tensor
from frostline.checkpoints.files.file import File, Window
from frostline.checkpoints.files.sources import Held, Source, Span, Strided, Swapped
from frostline.checkpoints.files.zip_archive import STRUCTURE_LIMIT, Archive
from frostline.checkpoints.pickle import reading
from frostline.checkpoints.readers.format import Format

MAGIC = b"\x93NUMPY"
HEADER_LIMIT = 2**16


def known(file: File) -> bool:
    """Whether ``file`` is a .npy file."""
    return file.head.startswith(MAGIC)


def known_archive(archive: Archive) -> bool:
    """Whether a zip archive is an .npz file: nothing but arrays."""
    return all(name.endswith(".npy") for name in archive.entries)


def read(file: File) -> Checkpoint:
    """The one array of a .npy file, under the name ``array``."""
    checkpoint = Checkpoint(file.path, "npy", files=[file])
    head = _Header(file, "the array", file.read(0, min(file.size, HEADER_LIMIT)))
    if head.dtype.hasobject:
        head.add_objects(checkpoint, "array", io.BufferedReader(Window(file, head.length), 2**16))
    else:
        head.add(checkpoint, "array", Span(file, head.length, file.size - head.length))
    return checkpoint


def read_archive(archive: Archive) -> Checkpoint:
    """The arrays of an .npz file by their names."""
    file = archive.file
    checkpoint = Checkpoint(file.path, "npz", files=[file])
    for entry_name in archive.entries:
        name = entry_name.removesuffix(".npy")
        first = next(archive.source(entry_name).pieces(HEADER_LIMIT), b"")
        head = _Header(file, repr(name), bytes(first))
        if head.dtype.hasobject and archive.entries[entry_name].size > STRUCTURE_LIMIT:
            checkpoint.add_unread(name, f"pickled Python objects of more than {STRUCTURE_LIMIT:,} bytes")
        elif head.dtype.hasobject:
            head.add_objects(checkpoint, name, io.BytesIO(archive.content(entry_name)[head.length :]))
        elif head.fortran and archive.entries[entry_name].deflated:
            unpacked = archive.unpacked(entry_name)
            checkpoint.files.append(unpacked)
            head.add(checkpoint, name, Span(unpacked, head.length, unpacked.size - head.length))
        else:
            head.add(checkpoint, name, archive.source(entry_name, head.length))
    return checkpoint


class _Header:
    """What the text in front of an array says of it."""

    def __init__(self, file: File, what: str, head: bytes) -> None:
        self._file, self._what = file, what
        stream = io.BytesIO(head)
        try:
            version = np.lib.format.read_magic(stream)
            reader = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about files that Python 2 wrote
                self.shape, self.fortran, self.dtype = reader[version](stream)
        except Exception as error:  # numpy evaluates a literal here, which fails in many ways
            raise file.bad(f"{what} has no usable array header ({type(error).__name__})") from None
        self.length = stream.tell()
        if any(type(extent) is not int or not 0 <= extent < 2**62 for extent in self.shape):
            raise file.bad(f"{what} has an absurd shape")

    def add_objects(self, checkpoint: Checkpoint, name: str, stream: io.BufferedIOBase) -> None:
        """Take in what an array of Python objects holds: numpy pickles the whole array behind the header."""
        machine = reading.run(stream, self._file)
        reading.fill(checkpoint, machine, reading.no_storage(self._file), prefix=name, values=True)
        checkpoint.add_bytes(f"{name}, {REST}", Held(stream.read()))

    def add(self, checkpoint: Checkpoint, name: str, source: Source) -> None:
        """Take in the array whose bytes, in the order of the file, are ``source``."""
        width = self.dtype.itemsize
        expected = math.prod(self.shape) * width
        if source.nbytes != expected:
            raise self._file.bad(f"{self._what} needs {expected:,} bytes and has {source.nbytes:,}")
        if self.fortran and len(self.shape) > 1 and expected and isinstance(source, Span):
            strides = tuple(width * math.prod(self.shape[:axis]) for axis in range(len(self.shape)))
            source = Strided(source.file, source.offset, width, self.shape, strides)
        if self.dtype.byteorder == ">" or (self.dtype.byteorder == "=" and not np.little_endian):
            source = Swapped(source, {"c": width // 2, "U": 4}.get(self.dtype.kind, width))
        dtype = dtypes.from_numpy(self.dtype)
        note = f"numpy type {self.dtype.str}; compared as bytes" if dtype.startswith("raw") else ""
        checkpoint.add(Tensor(name, dtype, tuple(self.shape), source, note=note))
        if self.dtype.names:
            checkpoint.add_extra(f"{name}.dtype", str(self.dtype.descr))


FORMAT = Format(".npz and .npy", file=(known, read), archive=(known_archive, read_archive))
