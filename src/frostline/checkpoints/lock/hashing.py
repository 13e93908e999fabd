"""BLAKE3 of the bytes of many tensors, as fast as the machine can."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from frostline.checkpoints.checkpoint import Tensor
from frostline.checkpoints.digests import Advance, nothing
from frostline.checkpoints.files.file import File
from frostline.checkpoints.files.sources import Source, Span
from frostline.checkpoints.parallel import parallel
from frostline.errors import CheckpointError

WORTH_A_PROCESS = 2**27


def hashed(tensors: Sequence[Tensor], advance: Advance = nothing) -> list[str]:
    """The BLAKE3 of each tensor, in hexadecimal digits; views of the same bytes are read once.

    Bytes that lie in a large file are hashed by a process that may map it (reading copies them first, which costs a
    third of the speed); all others are read here, several tensors at a time.

    Raises:
        CheckpointError: a file is damaged or changed meanwhile, or the package blake3 is not installed.
    """
    if importlib.util.find_spec("blake3") is None:
        raise CheckpointError("locks need the package blake3", "pip install 'frostline[checkpoints]'")
    sources = {_place(tensor.source): tensor.source for tensor in tensors}
    digests: dict[object, str] = {}
    for file, spans in _by_file(sources.values()).items():
        if os.name == "posix" and sum(span.nbytes for span in spans) >= WORTH_A_PROCESS:
            digests |= dict(zip(map(_place, spans), _hashed_elsewhere(file, spans, advance), strict=True))
    left = [place for place in sources if place not in digests]
    found = parallel(lambda place: _digest(sources[place], advance), left, size=lambda place: sources[place].nbytes)
    digests |= dict(zip(left, found, strict=True))
    return [digests[_place(tensor.source)] for tensor in tensors]


def _by_file(sources: Iterable[Source]) -> dict[File, list[Span]]:
    files: dict[File, list[Span]] = {}
    for source in sources:
        if isinstance(source, Span) and source.nbytes:
            files.setdefault(source.file.whole, []).append(source)
    return files


def _hashed_elsewhere(file: File, spans: Sequence[Span], advance: Advance) -> list[str]:
    """The digests of the spans, from a process that may map the file into memory."""
    descriptor, code = file.fileno(), Path(__file__).with_name("hash_child.py")
    words = [sys.executable, "-I", "-S", str(code), str(descriptor), _place_of_blake3()]
    pipe, digests = subprocess.PIPE, dict[int, str]()
    with subprocess.Popen(
        words, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, pass_fds=[descriptor], text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            with contextlib.suppress(BrokenPipeError):  # it is dead already; its status tells below
                child.stdin.writelines(f"{span.file.start + span.offset} {span.nbytes}\n" for span in spans)
                child.stdin.close()
            for line in child.stdout:
                index, digest = line.split()
                digests[int(index)] = digest
                advance(spans[int(index)].nbytes)
        except BaseException:  # Ctrl-C: nobody waits for the rest
            child.kill()
            raise
    file.check_unchanged()
    if child.returncode or len(digests) != len(spans):
        raise file.bad("cannot be mapped into memory", "check the disk and the memory limits")
    return [digests[index] for index in range(len(spans))]


def _place_of_blake3() -> str:
    """The folder from which this process would import the package."""
    spec = importlib.util.find_spec("blake3")
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent.parent)


def _digest(source: Source, advance: Advance) -> str:
    from blake3 import blake3

    machine = blake3()
    for piece in source.pieces():
        machine.update(piece)
        advance(len(piece))
    return str(machine.hexdigest())


def _place(source: Source) -> object:
    """Equal for views of the same bytes."""
    if not isinstance(source, Span):
        return id(source)
    return id(source.file.whole), source.file.start + source.offset, source.nbytes
