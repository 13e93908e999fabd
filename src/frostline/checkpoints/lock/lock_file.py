"""Lock files: one reviewable line per tensor of a checkpoint, and the proof that another file still holds them.

Format history
  1  first version: a header line, then ``name dtype [shape] blake3:digest`` sorted by name
  2  ``unread`` stands in place of the digest of an entry that could not be read; written only where there is one
  3  ``other-values values [count] blake3:digest`` for all values beside the tensors; written only where there are some
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from frostline.checkpoints import extras
from frostline.checkpoints.checkpoint import Checkpoint, Tensor
from frostline.checkpoints.digests import Advance, nothing
from frostline.checkpoints.files.file import File
from frostline.checkpoints.files.sources import Held
from frostline.checkpoints.lock.hashing import hashed
from frostline.core.storage.store import write_atomically
from frostline.errors import CheckpointError, RecordError

FORMATS = (1, 2, 3)
UNREAD = "unread"
LOCK_LIMIT = 2**28

_HEADER = re.compile(r"# frostline lock, format (\d+)")
_LINE = re.compile(r'("(?:[^"\\]|\\.)*"|[^\s"]+) ([^\s\[\]]+) \[([\d,]*)\] (?:blake3:([0-9a-f]{64})|unread)')


@dataclass(frozen=True, slots=True)
class Entry:
    """One tensor as a lock remembers it; ``digest`` is empty where its bytes could not be read."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    digest: str

    def line(self) -> str:
        """The tensor's line in a lock file.

        >>> Entry("fc.weight", "float32", (2, 3), "0" * 64).line()[:32]
        'fc.weight float32 [2,3] blake3:0'
        """
        name = self.name
        if not re.fullmatch(r'[^\s"#\\][^\s"\\]*', name) or not name.isprintable():
            name = json.dumps(name)
        digest = f"blake3:{self.digest}" if self.digest else UNREAD
        return f"{name} {self.dtype} [{','.join(map(str, self.shape))}] {digest}"


def locked(checkpoint: Checkpoint, advance: Advance = nothing) -> list[Entry]:
    """The lock entries of an open checkpoint, sorted by name; CheckpointError when the file is damaged."""
    others = of_others(checkpoint)
    readable = [tensor for tensor in (*checkpoint.tensors.values(), *others) if not tensor.unknown]
    digests = dict(zip((tensor.name for tensor in readable), hashed(readable, advance), strict=True))
    tensors = [*sorted(checkpoint.tensors.values(), key=lambda tensor: tensor.name), *others]
    return [Entry(tensor.name, tensor.dtype, tensor.shape, digests.get(tensor.name, "")) for tensor in tensors]


def of_others(checkpoint: Checkpoint) -> list[Tensor]:
    """All values beside the tensors, as one entry; none where there are none."""
    values = checkpoint.values
    if not values:
        return []
    source = Held(extras.content(values))
    return [Tensor(checkpoint.free_name(extras.NAME), extras.DTYPE, (len(values),), source)]


def text(entries: Sequence[Entry]) -> str:
    """The lock file of the entries."""
    version = (
        3
        if any(entry.dtype == extras.DTYPE for entry in entries)
        else 1
        if all(entry.digest for entry in entries)
        else 2
    )
    return "".join(
        f"{line}\n" for line in (f"# frostline lock, format {version}", *(entry.line() for entry in entries))
    )


def save(entries: Sequence[Entry], path: str | os.PathLike[str]) -> None:
    """Write a lock file, whole or not at all."""
    try:
        write_atomically(text(entries).encode(), path)
    except RecordError as error:
        raise CheckpointError(error.message, "choose another place with -o FILE") from None


def load(path: str | os.PathLike[str]) -> dict[str, Entry]:
    """The entries of a lock file by name; CheckpointError when it is missing or not one."""
    file = File(path)
    try:
        if file.size > LOCK_LIMIT:
            raise file.bad(
                f"is {file.size:,} bytes long, which no lock file is", "name a file made by `frostline lock`"
            )
        data = file.read(0, file.size)
    finally:
        file.close()
    try:
        lines = data.decode().split("\n")
    except UnicodeDecodeError:
        lines = [""]
    header = _HEADER.fullmatch(lines[0].rstrip("\r"))
    if header is None:
        raise file.bad("is not a lock file", "make one with `frostline lock FILE -o weights.lock`")
    if int(header[1]) not in FORMATS:
        raise file.bad(f"has lock format {header[1]}; this frostline reads formats 1 to 3", "make it again")
    entries: dict[str, Entry] = {}
    for number, line in enumerate(lines[1:], 2):
        if not line.strip() or line.startswith("#"):
            continue
        entry = _parsed(line.rstrip("\r"))
        if entry is None or entry.name in entries:
            what = "is not a tensor's" if entry is None else f"names {entry.name!r} again"
            raise file.bad(f"its line {number} {what}", "restore the lock file, or make it again")
        entries[entry.name] = entry
    return entries


def _parsed(line: str) -> Entry | None:
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    name, dtype, shape, digest = found.groups()
    try:
        name = json.loads(name) if name.startswith('"') else name
        return Entry(name, dtype, tuple(int(extent) for extent in shape.split(",") if extent), digest or "")
    except ValueError:
        return None
