"""BLAKE3 of the bytes of many tensors, as fast as the machine can."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence

from frostline.checkpoints.checkpoint import Tensor
from frostline.checkpoints.compare import parallel
from frostline.checkpoints.digests import Advance, nothing
from frostline.checkpoints.sources import PIECE, Source, Span
from frostline.errors import CheckpointError

SHARED_PIECE = 4 * 2**20  # what all cores hash together: enough work for each, and little memory
WORTH_SHARING = 2**26
ALL_CORES = -1  # blake3.AUTO


def hashed(tensors: Sequence[Tensor], advance: Advance = nothing) -> list[str]:
    """The BLAKE3 of each tensor, in hexadecimal digits; views of the same bytes are read once.

    Several tensors are hashed at a time, one core each. A tensor that is more than a core's share of the whole would
    leave the others idle at the end, so all of them hash it together, before the rest.

    Raises:
        CheckpointError: a file is damaged or changed meanwhile, or the package blake3 is not installed.
    """
    if importlib.util.find_spec("blake3") is None:
        raise CheckpointError("locks need the package blake3", "pip install 'frostline[checkpoints]'")
    sources = {_place(tensor): tensor.source for tensor in tensors}
    share = max(WORTH_SHARING, sum(source.nbytes for source in sources.values()) // (os.cpu_count() or 1))
    large = [place for place, source in sources.items() if source.nbytes > share]
    digests = {place: _digest(sources[place], advance, SHARED_PIECE, ALL_CORES) for place in large}
    left = [place for place in sources if place not in digests]
    found = parallel(lambda place: _digest(sources[place], advance), left, size=lambda place: sources[place].nbytes)
    digests |= dict(zip(left, found, strict=True))
    return [digests[_place(tensor)] for tensor in tensors]


def _digest(source: Source, advance: Advance, piece_size: int = PIECE, threads: int = 1) -> str:
    from blake3 import blake3

    machine = blake3(max_threads=threads)
    for piece in source.pieces(piece_size):
        machine.update(piece)
        advance(len(piece))
    return str(machine.hexdigest())


def _place(tensor: Tensor) -> object:
    source = tensor.source
    return (id(source.file), source.offset, source.nbytes) if isinstance(source, Span) else id(source)
