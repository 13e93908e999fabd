"""Reads checkpoints packed whole with gzip, zlib, bzip2, xz, lzma, zstd or lz4, as joblib and tar write them."""

from __future__ import annotations

from collections.abc import Iterator

from frostline.checkpoints.checkpoint import Checkpoint
from frostline.checkpoints.files.file import File
from frostline.checkpoints.files.sources import Span
from frostline.checkpoints.files.unpacking import missing, unpacked
from frostline.checkpoints.files.zip_archive import HARMLESS_EXPANSION, LARGEST_RATIO
from frostline.checkpoints.readers.format import Format, Open
from frostline.errors import CheckpointError

# first bytes: what packed the file
METHODS: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"x\x01", "zlib"),
    (b"x\x5e", "zlib"),
    (b"x\x9c", "zlib"),
    (b"x\xda", "zlib"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"]\0\0", "lzma"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
)


def known(file: File) -> bool:
    """Whether ``file`` begins as a compressed file does."""
    return file.head.startswith(tuple(start for start, _ in METHODS))


def read(file: File, open_inside: Open) -> Checkpoint:
    """The checkpoint that ``file`` unpacks to, in a temporary file.

    Raises:
        CheckpointError: it is no checkpoint, cannot be unpacked, or claims to be absurdly large.
    """
    head = file.head
    method = next(method for start, method in METHODS if head.startswith(start))
    inner = File.spooled(_bounded(file, method), file.path)
    try:
        checkpoint = open_inside(inner)
    except BaseException:
        inner.close()
        raise
    checkpoint.kind = f"{checkpoint.kind}, {method}"
    checkpoint.files.append(file)
    return checkpoint


def _bounded(file: File, method: str) -> Iterator[bytes]:
    """What the file unpacks to, as long as it is not absurdly more than the file."""
    total = 0
    most = max(HARMLESS_EXPANSION, LARGEST_RATIO * file.size)
    try:
        for piece in unpacked(method, Span(file, 0, file.size).pieces()):
            total += len(piece)
            if total > most:
                raise CheckpointError(
                    f"{file.path}: its {file.size:,} bytes unpack to more than {most:,}",
                    "if you trust the file, unpack it, and name a file from it",
                )
            yield piece
    except CheckpointError:
        raise
    except ImportError:
        raise missing(file, method) from None
    except Exception as error:  # each library has errors of its own
        raise file.bad(f"cannot be unpacked ({type(error).__name__})") from None


FORMAT = Format("files packed with gzip, zlib, bzip2, xz, lzma, zstd or lz4", container=(known, read))
