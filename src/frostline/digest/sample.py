"""A sample of a tensor: a few pieces of its bytes, to see that it moved; that it did not, only a full read can tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xxhash import xxh3_64_intdigest

PIECE = 2048  # bytes
LARGEST = 3 * PIECE


def sample(part: Callable[[int, int], bytes], size: int) -> int:
    """The hash of a piece at the beginning, in the middle and at the end of ``size`` bytes; of few bytes, of all.

    Args:
        part: gives the bytes between two places.
        size: how many bytes there are.

    Example:
        >>> data = bytearray(2**20)
        >>> before = sample(lambda start, stop: bytes(data[start:stop]), len(data))
        >>> data[-1] = 1
        >>> sample(lambda start, stop: bytes(data[start:stop]), len(data)) == before
        False
    """
    return xxh3_64_intdigest(pieces(part, size))


def sample_whole(buffer: Any) -> int:
    """The sample of ``buffer``, which has no more bytes than one is made of; nothing is copied.

    Example:
        >>> sample_whole(b"few") == sample(lambda start, stop: b"few"[start:stop], 3)
        True
    """
    return xxh3_64_intdigest(buffer)


def pieces(part: Callable[[int, int], bytes], size: int) -> bytes:
    """The bytes that a sample is made of.

    Args:
        part: gives the bytes between two places.
        size: how many bytes there are.

    Example:
        >>> text = b"abc" * 2**20
        >>> len(pieces(lambda start, stop: text[start:stop], len(text)))
        6144
    """
    if size <= LARGEST:
        return part(0, size)
    starts = (0, size // 2 // PIECE * PIECE, size - PIECE)
    return b"".join([part(start, start + PIECE) for start in starts])
