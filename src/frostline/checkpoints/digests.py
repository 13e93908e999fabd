"""The digest of a tensor in a file: the very number that a run records for a tensor of the same bytes."""

from __future__ import annotations

from collections.abc import Callable

from frostline.checkpoints.checkpoint import Tensor
from frostline.checkpoints.files.sources import PIECE
from frostline.digest.blocks import BLOCK, Digest, blocks, tensor_digest

assert PIECE % BLOCK == 0, "pieces are cut where blocks are"

Advance = Callable[[int], None]


def nothing(count: int) -> None:
    """For those who do not want to be told of progress."""


def block_digest(tensor: Tensor, advance: Advance = nothing) -> Digest:
    """The block values of a tensor's bytes, read piece by piece."""
    hashes = bytearray()
    for piece in tensor.source.pieces(PIECE):
        hashes += blocks(piece).hashes
        advance(len(piece))
    return Digest(bytes(hashes))


def digest_of(tensor: Tensor, advance: Advance = nothing) -> str:
    """The one value of a tensor, 32 hexadecimal digits, or an empty string where its bytes cannot be had."""
    return "" if tensor.unknown else tensor_digest(block_digest(tensor, advance), tensor.dtype, tensor.shape)
