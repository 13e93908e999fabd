"""Reads checkpoints packed whole with gzip, zlib, bzip2, xz, lzma, zstd or lz4, as joblib and tar write them."""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

from frostline.checkpoints.checkpoint import Checkpoint
from frostline.checkpoints.files.file import File, Window
from frostline.checkpoints.files.sources import PIECE, Span
from frostline.checkpoints.files.zip_archive import HARMLESS_EXPANSION, LARGEST_RATIO
from frostline.checkpoints.readers.format import Format, Open
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


def _from_zlib(file: File) -> Iterator[bytes]:
    return _unpacked(file, _Zlib)


def _from_bzip2(file: File) -> Iterator[bytes]:
    return _unpacked(file, bz2.BZ2Decompressor)


def _from_lzma(file: File) -> Iterator[bytes]:
    return _unpacked(file, lambda: lzma.LZMADecompressor(memlimit=MEMORY))


def _from_lz4(file: File) -> Iterator[bytes]:
    try:
        import lz4.frame
    except ImportError:
        raise _missing(file, "lz4") from None
    return _unpacked(file, lz4.frame.LZ4FrameDecompressor)


def _from_zstd(file: File) -> Iterator[bytes]:
    try:
        import zstandard
    except ImportError:
        raise _missing(file, "zstandard") from None
    machine = zstandard.ZstdDecompressor(max_window_size=MEMORY)
    with machine.stream_reader(io.BufferedReader(Window(file)), read_across_frames=True) as stream:
        while data := stream.read(PIECE):
            yield data


# first bytes: what packed the file, and how it is unpacked
METHODS: tuple[tuple[bytes, str, Callable[[File], Iterator[bytes]]], ...] = (
    (b"\x1f\x8b", "gzip", _from_zlib),
    (b"x\x01", "zlib", _from_zlib),
    (b"x\x5e", "zlib", _from_zlib),
    (b"x\x9c", "zlib", _from_zlib),
    (b"x\xda", "zlib", _from_zlib),
    (b"BZh", "bzip2", _from_bzip2),
    (b"\xfd7zXZ\0", "xz", _from_lzma),
    (b"]\0\0", "lzma", _from_lzma),
    (b"\x28\xb5\x2f\xfd", "zstd", _from_zstd),
    (b"\x04\x22\x4d\x18", "lz4", _from_lz4),
)


def known(file: File) -> bool:
    """Whether ``file`` begins as a compressed file does."""
    return file.head.startswith(tuple(start for start, _, _ in METHODS))


def read(file: File, open_inside: Open) -> Checkpoint:
    """The checkpoint that ``file`` unpacks to, in a temporary file.

    Raises:
        CheckpointError: it is no checkpoint, cannot be unpacked, or claims to be absurdly large.
    """
    head = file.head
    name, unpack = next((name, unpack) for start, name, unpack in METHODS if head.startswith(start))
    inner = File.spooled(_bounded(file, unpack(file)), file.path)
    try:
        checkpoint = open_inside(inner)
    except BaseException:
        inner.close()
        raise
    checkpoint.kind = f"{checkpoint.kind}, {name}"
    checkpoint.files.append(file)
    return checkpoint


def _bounded(file: File, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces, as long as they are not absurdly more than the file."""
    total = 0
    most = max(HARMLESS_EXPANSION, LARGEST_RATIO * file.size)
    try:
        for piece in pieces:
            total += len(piece)
            if total > most:
                raise CheckpointError(
                    f"{file.path}: its {file.size:,} bytes unpack to more than {most:,}",
                    "if you trust the file, unpack it, and name a file from it",
                )
            yield piece
    except CheckpointError:
        raise
    except Exception as error:  # each library has errors of its own
        raise file.bad(f"cannot be unpacked ({type(error).__name__})") from None


def _unpacked(file: File, new: Callable[[], Decompressor]) -> Iterator[bytes]:
    """What one compressed stream, or several one behind the other, unpack to."""
    machine = new()
    for packed in Span(file, 0, file.size).pieces():
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


def _missing(file: File, package: str) -> CheckpointError:
    return CheckpointError(
        f"{file.path}: unpacking it needs the package {package}", "pip install 'frostline[compressed]'"
    )


FORMAT = Format("files packed with gzip, zlib, bzip2, xz, lzma, zstd or lz4", container=(known, read))
