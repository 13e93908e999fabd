"""BLAKE3 of the bytes of many tensors, as fast as the machine can."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from frostline.checkpoints.checkpoint import Tensor
from frostline.checkpoints.compare import parallel
from frostline.checkpoints.digests import Advance, nothing
from frostline.checkpoints.files import File
from frostline.checkpoints.sources import Source, Span
from frostline.errors import CheckpointError

WORTH_A_PROCESS = 2**27


def hashed(tensors: Sequence[Tensor], advance: Advance = nothing) -> list[str]:
    """The BLAKE3 of each tensor, in hexadecimal digits; views of the same bytes are read once.

    Raises:
        CheckpointError: a file is damaged or changed meanwhile, or the package blake3 is not installed.
    """
    if importlib.util.find_spec("blake3") is None:
        raise CheckpointError("locks need the package blake3", "pip install 'frostline[checkpoints]'")
    sources = {_place(tensor): tensor.source for tensor in tensors}
    digests: dict[object, str] = {}
    for file, spans in _by_file(sources).items():
        if os.name == "posix" and sum(span.nbytes for span in spans) >= WORTH_A_PROCESS:
            found = _hashed_elsewhere(file, spans, advance)
            digests |= {_span_place(span): digest for span, digest in zip(spans, found, strict=True)}
    left = [place for place in sources if place not in digests]
    found = parallel(lambda place: _digest(sources[place], advance), left, size=lambda place: sources[place].nbytes)
    digests |= dict(zip(left, found, strict=True))
    return [digests[_place(tensor)] for tensor in tensors]


def _by_file(sources: dict[object, Source]) -> dict[File, list[Span]]:
    files: dict[File, list[Span]] = {}
    for source in sources.values():
        if isinstance(source, Span) and source.nbytes:
            files.setdefault(source.file, []).append(source)
    return files


def _hashed_elsewhere(file: File, spans: Sequence[Span], advance: Advance) -> list[str]:
    """The digests of the spans, from a process that may map the file into memory."""
    command = [sys.executable, "-P", str(Path(__file__).with_name("hash_child.py")), str(file.fileno())]
    pipe = subprocess.PIPE
    digests: dict[int, str] = {}
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, pass_fds=[file.fileno()], text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it is dead already; its status tells below
            child.stdin.write(json.dumps([(span.offset, span.nbytes) for span in spans]))
            child.stdin.close()
        for line in child.stdout:
            index, digest = line.split()
            digests[int(index)] = digest
            advance(spans[int(index)].nbytes)
    file.check_unchanged()
    if child.returncode or len(digests) != len(spans):
        raise file.bad("cannot be mapped into memory", "check the disk and the memory limits")
    return [digests[index] for index in range(len(spans))]


def _digest(source: Source, advance: Advance) -> str:
    from blake3 import blake3

    machine = blake3()
    for piece in source.pieces():
        machine.update(piece)
        advance(len(piece))
    return str(machine.hexdigest())


def _place(tensor: Tensor) -> object:
    return _span_place(tensor.source) if isinstance(tensor.source, Span) else id(tensor.source)


def _span_place(span: Span) -> object:
    return id(span.file), span.offset, span.nbytes
