"""Streams of the usual compressors unpacked piece by piece."""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from frostline.checkpoints.files.file import File
from frostline.checkpoints.files.sources import PIECE, Piece
from frostline.errors import CheckpointError

MEMORY = 2**28


class Decompressor(Protocol):
    """What bz2, lzma and lz4 share."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes | None: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Zlib:
    """zlib and gzip in the form of the others."""

    def __init__(self) -> None:
        self._machine = zlib.decompressobj(zlib.MAX_WBITS | 32)

    @property
    def eof(self) -> bool:
        return self._machine.eof

    @property
    def needs_input(self) -> bool:
        return not self._machine.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._machine.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return self._machine.decompress(self._machine.unconsumed_tail + data, max_length)


def _lzma() -> Decompressor:
    return lzma.LZMADecompressor(memlimit=MEMORY)


def _lz4() -> Decompressor:
    import lz4.frame

    machine: Decompressor = lz4.frame.LZ4FrameDecompressor()
    return machine


# how each method is unpacked, but for zstd; lz4 and zstd need the package named
_MACHINES: dict[str, Callable[[], Decompressor]] = {
    "gzip": _Zlib,
    "zlib": _Zlib,
    "bzip2": bz2.BZ2Decompressor,
    "xz": _lzma,
    "lzma": _lzma,
    "lz4": _lz4,
}
PACKAGES = {"lz4": "lz4", "zstd": "zstandard"}


def missing(file: File, method: str) -> CheckpointError:
    """The error for a method whose package is not installed."""
    return CheckpointError(
        f"{file.path}: unpacking it needs the package {PACKAGES[method]}", "pip install 'frostline[compressed]'"
    )


def unpacked(method: str, pieces: Iterable[Piece]) -> Iterator[bytes]:
    """What one stream packed by ``method``, or several one behind the other, unpack to, in bounded pieces.

    Raises:
        ImportError: the package for the method is not installed.
        Exception: each library's own, where the stream is damaged.
    """
    return _from_zstd(pieces) if method == "zstd" else _from_machine(_MACHINES[method], pieces)


def _from_zstd(pieces: Iterable[Piece]) -> Iterator[bytes]:
    import zstandard

    machine = zstandard.ZstdDecompressor(max_window_size=MEMORY)
    with machine.stream_reader(io.BufferedReader(_Drawn(pieces), PIECE), read_across_frames=True) as stream:
        while data := stream.read(PIECE):
            yield data


class _Drawn(io.RawIOBase):
    """Pieces as a stream."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._pieces = iter(pieces)
        self._left: Piece = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        if not len(self._left):
            self._left = memoryview(next(self._pieces, b""))
        data = self._left[: len(buffer)]
        self._left = self._left[len(data) :]
        buffer[: len(data)] = data
        return len(data)


def _from_machine(new: Callable[[], Decompressor], pieces: Iterable[Piece]) -> Iterator[bytes]:
    machine = new()
    for packed in pieces:
        data = bytes(packed)
        while True:
            if machine.eof:  # another stream may follow, or the zeros that pad a tape archive
                data = data.lstrip(b"\0")
                if not data:
                    break
                machine = new()
            yield machine.decompress(data, PIECE)
            data = (machine.unused_data or b"") if machine.eof else b""
            if not machine.eof and machine.needs_input:
                break
    if not machine.eof:
        raise EOFError
