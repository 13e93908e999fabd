"""One weights file under examination: read as its owner reads it, one changed element found, locked and verified."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from frostline import checkpoints
from frostline.checkpoints import Tensor
from frostline.checkpoints.files.sources import Span
from studies.weights.files import Weights
from studies.weights.owners import OWNERS


@dataclass(slots=True)
class Examined:
    """What came of one file; ``doubts`` are in words, and empty where all is well."""

    kind: str
    digest: str
    tensors: int
    size: int
    equal: int
    doubts: list[str]


def examined(weights: Weights, path: Path) -> Examined:
    """Read a file with frostline and with its owner, change one byte of a copy, lock and verify both."""
    with checkpoints.open(path) as checkpoint:
        tensors = list(checkpoint.tensors.values())
        kind = checkpoint.kind
        ours = Counter((tensor.dtype, tensor.shape, _bytes(tensor)) for tensor in tensors)
        chosen = _largest(tensors)
        start = _place(chosen)
    theirs = Counter(OWNERS[weights.owner][1](path))
    doubts = [f"the owner reads {dtype} {list(shape)}, and frostline does not" for dtype, shape, _ in theirs - ours]
    doubts += [f"{tensor.name} was not read" for tensor in tensors if tensor.unknown and "text" not in tensor.unknown]
    with tempfile.TemporaryDirectory() as folder:
        copy = _copied(path, Path(folder) / "copy")
        doubts += _proofs(path, copy, Path(folder) / "weights.lock", changed=False)
        _change(weights, copy, start)
        doubts += _proofs(path, copy, Path(folder) / "weights.lock", changed=True)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    nbytes = sum(tensor.nbytes for tensor in tensors)
    return Examined(kind, digest, len(tensors), nbytes, sum(theirs.values()), doubts)


def _bytes(tensor: Tensor) -> bytes:
    return b"".join(bytes(piece) for piece in tensor.source.pieces())


def _largest(tensors: list[Tensor]) -> Tensor:
    """The largest tensor that lies in its file in one run."""
    return max((tensor for tensor in tensors if isinstance(tensor.source, Span)), key=lambda tensor: tensor.nbytes)


def _place(tensor: Tensor) -> tuple[str, int]:
    """The file that a tensor lies in, unpacked if it is, and a byte in the middle of it."""
    assert isinstance(tensor.source, Span)
    return tensor.source.file.path.name, tensor.source.file.start + tensor.source.offset + tensor.nbytes // 2


def _copied(path: Path, folder: Path) -> Path:
    """A copy of a file, with all that lies beside it where it is an index."""
    folder.mkdir()
    for each in path.parent.iterdir() if path.suffix == ".index" else [path]:
        shutil.copy(each, folder)
    return folder / path.name


def _change(weights: Weights, copy: Path, place: tuple[str, int]) -> None:
    """Turn one bit of a copy over, in what it unpacks to where it is packed."""
    name, at = place
    path = copy.parent / name
    if weights.owner == "joblib, lz4":
        import lz4.frame

        path.write_bytes(lz4.frame.compress(_turned(lz4.frame.decompress(path.read_bytes()), at)))
    else:
        path.write_bytes(_turned(path.read_bytes(), at))


def _turned(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def _proofs(path: Path, copy: Path, lock: Path, changed: bool) -> list[str]:
    """What the commands say of a file and its copy, as doubts where that is wrong."""
    unread = ["--allow-unread", "**"]
    frostline("lock", path, "-o", lock, *unread)
    wanted, doubts = int(changed), []
    for words in (("diff", path, copy), ("verify", copy, lock)):
        status = frostline(*words, "--quiet", *unread)
        if status != wanted:
            doubts.append(f"{words[0]} of a {'changed' if changed else 'plain'} copy ends with {status}")
    return doubts


def frostline(*words: object) -> int:
    """The exit status of a command."""
    return subprocess.run([sys.executable, "-m", "frostline", *map(str, words)], capture_output=True).returncode
