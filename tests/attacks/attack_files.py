"""What tests of bad files share: the refusal they all expect, and processes with little memory."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from frostline import checkpoints
from frostline.errors import CheckpointError

SHOW = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1536 << 20, 1536 << 20))
from frostline.cli.commands.show import show
from frostline.errors import FrostlineError
try:
    show.main([sys.argv[1]], standalone_mode=False)
except FrostlineError as error:
    print(error.message, file=sys.stderr)
    sys.exit(2)
"""


def read_everything(path: Path) -> None:
    """Open a checkpoint and draw every byte of every tensor."""
    with checkpoints.open(path) as found:
        for tensor in found.tensors.values():
            for _ in tensor.source.pieces():
                pass


def refusal(path: Path) -> str:
    """The one line with which a bad file is refused; anything else fails the test."""
    with pytest.raises(CheckpointError) as caught:
        read_everything(path)
    assert "\n" not in caught.value.message
    assert str(path.parent) in caught.value.message
    return caught.value.message


def refused_in_little_memory(path: Path, seconds: int = 60) -> str:
    """The same from a process of its own that may have 1.5 GiB of address space and some seconds."""
    done = subprocess.run(
        [sys.executable, "-c", SHOW, str(path)], capture_output=True, text=True, timeout=seconds, cwd=path.parent
    )
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert len(done.stderr.splitlines()) == 1
    return done.stderr


def safetensors_bytes(header: Any, body: bytes = b"", length: int | None = None) -> bytes:
    """A safetensors file with any header: a table, or text that is no table, and a length that may lie."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + body
