"""The definition of a digest, one XXH3-64 value per block of a tensor's bytes, and its making on the CPU.

A buffer is anything with the buffer protocol that is C-contiguous: the tensor's elements in C order, little endian.
"""

from __future__ import annotations

import ctypes
import itertools
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
from xxhash import xxh3_64_digest, xxh3_128_hexdigest

from frostline.digest.threads import any_of

# Any object with the buffer protocol; typing has no name for that before Python 3.12.
Buffer: TypeAlias = "bytes | bytearray | memoryview | array[Any] | ctypes.Array[Any] | np.ndarray[Any, Any]"

BLOCK = 512 * 1024
_PIECE = 8  # blocks that a thread reads before it looks for more; two such pieces are worth the start of a thread
_SPREAD = 16  # blocks that a proof of change tries all over the tensor before it reads on in order
_WORD = 8  # bytes of one XXH3-64 value


@dataclass(frozen=True, slots=True)
class Digest:
    """The XXH3-64 values of a tensor's blocks, in order, each as its eight canonical (big-endian) bytes.

    >>> digest = blocks(bytes(BLOCK + 1))
    >>> len(digest), [f"{value:016x}" for value in digest.values]
    (2, ['fd444a4e0c1d4c46', 'c44bdff4074eecdb'])
    """

    hashes: bytes

    def __len__(self) -> int:
        return len(self.hashes) // _WORD

    @property
    def values(self) -> Sequence[int]:
        """The values as 64-bit unsigned integers."""
        return _swapped(array("Q", self.hashes))

    @classmethod
    def of(cls, values: Iterable[int]) -> Digest:
        """The digest made of values that were computed elsewhere, on an accelerator for one."""
        return cls(_swapped(array("Q", values)).tobytes())


def blocks(buffer: Buffer) -> Digest:
    """The digest of the buffer's bytes; an empty buffer has no blocks.

    Raises:
        ValueError, BufferError: the buffer is not C-contiguous.
    """
    return Digest(_hashes(buffer))


def tensor_digest(digest: Digest, dtype: str, shape: Sequence[int]) -> str:
    """The one value of a tensor, 32 hexadecimal digits: XXH3-128 of "dtype[shape]", a newline and the block values.

    >>> tensor_digest(blocks(bytes(8)), "float32", (2,)) == tensor_digest(blocks(bytes(8)), "float32", (1, 2))
    False
    """
    header = f"{dtype}[{','.join(map(str, shape))}]\n"
    return xxh3_128_hexdigest(header.encode() + digest.hashes)


def differing(digest: Digest, buffer: Buffer) -> tuple[list[int], Digest]:
    """The indices of the blocks that are not what ``digest`` says, and the buffer's own digest, in one full read.

    >>> data = bytearray(3 * BLOCK)
    >>> first = blocks(data)
    >>> data[BLOCK] = 1
    >>> differing(first, data)[0]
    [1]
    """
    present = Digest(_hashes(buffer))
    return moved(digest, present), present


def moved(digest: Digest, present: Digest) -> list[int]:
    """The indices of the blocks in which two digests differ.

    >>> moved(blocks(bytes(2 * BLOCK)), blocks(bytes(BLOCK) + b"1"))
    [1]
    """
    before, after = digest.hashes, present.hashes
    if before == after:
        return []
    starts = range(0, max(len(before), len(after)), _WORD)
    return [start // _WORD for start in starts if before[start : start + _WORD] != after[start : start + _WORD]]


def first_difference(digest: Digest, buffer: Buffer) -> bool:
    """Whether any block differs from ``digest``: reads until the first that does, every block at most once."""
    view, hashes = _bytes(buffer), digest.hashes
    count = -(-view.nbytes // BLOCK)
    if count != len(digest):
        return True
    if count <= 1:
        return _hashes(view) != hashes
    order = reading_order(count)

    def differs(indices: Iterable[int]) -> bool:
        for index in indices:
            value = xxh3_64_digest(view[index * BLOCK : (index + 1) * BLOCK])
            if value != hashes[index * _WORD : (index + 1) * _WORD]:
                return True
        return False

    return differs(itertools.islice(order, _SPREAD)) or any_of(differs, _pieces(list(order)))


def reading_order(count: int) -> Iterator[int]:
    """Every block once: both ends, the middle, some steps of the golden section, which spread evenly; then the rest.

    The rest is in order of place, because memory is read twice as fast that way.

    >>> list(reading_order(8))
    [0, 7, 4, 5, 2, 1, 6, 3]
    """
    stride = round(count * 0.618)
    spread = dict.fromkeys([0, count - 1, count // 2, *(k * stride % count for k in range(min(count, _SPREAD)))])
    yield from spread
    yield from (index for index in range(count) if index not in spread)


def _hashes(buffer: Buffer) -> bytes:
    """The canonical bytes of all block values."""
    size = _size(buffer)
    if size <= BLOCK:
        return xxh3_64_digest(cast("memoryview", buffer)) if size else b""
    view = _bytes(buffer)
    hashes = bytearray(-(-size // BLOCK) * _WORD)

    def fill(indices: Iterable[int]) -> bool:
        for index in indices:
            value = xxh3_64_digest(view[index * BLOCK : (index + 1) * BLOCK])
            hashes[index * _WORD : (index + 1) * _WORD] = value
        return False

    any_of(fill, _pieces(range(len(hashes) // _WORD)))
    return bytes(hashes)


def _pieces(indices: Sequence[int]) -> list[Sequence[int]]:
    return [indices[start : start + _PIECE] for start in range(0, len(indices), _PIECE)]


def _size(buffer: Buffer) -> int:
    """How many bytes the buffer has; a memoryview tells it four times as fast as numpy does, for most formats."""
    try:
        return memoryview(cast("memoryview", buffer)).nbytes
    except (TypeError, ValueError):
        return _bytes(buffer).nbytes


def _bytes(buffer: Buffer) -> memoryview:
    """The buffer as plain bytes, whatever its format, without a copy; numpy takes formats that memoryview refuses."""
    return np.frombuffer(cast("memoryview", buffer), np.uint8).data


def _swapped(values: array[int]) -> array[int]:
    """The values with canonical byte order for the machine's, or back."""
    if sys.byteorder == "little":
        values.byteswap()
    return values
