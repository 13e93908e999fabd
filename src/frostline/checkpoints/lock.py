"""Lock files: one reviewable line per tensor of a checkpoint, and the proof that another file still holds them.

Format history
  1  first version: a header line, then ``name dtype [shape] blake3:digest`` sorted by name
  2  ``unread`` stands in place of the digest of an entry that could not be read; written only where there is one
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from frostline.checkpoints import dtypes
from frostline.checkpoints.checkpoint import Checkpoint
from frostline.checkpoints.digests import Advance, nothing
from frostline.checkpoints.files import File
from frostline.checkpoints.hashing import hashed
from frostline.checkpoints.naming import matches_any, paired
from frostline.core.name_matching import bare
from frostline.core.patterns import matches
from frostline.core.store import write_atomically
from frostline.errors import CheckpointError, RecordError, did_you_mean

FORMATS = (1, 2)
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


@dataclass(slots=True)
class Verification:
    """What a file proves about a lock: names by what became of them.

    ``allowed`` were free to differ and do; ``unread`` could not be read, and the caller said that they need not be.
    """

    same: list[str] = field(default_factory=list)
    differ: list[tuple[str, str]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    unknown: list[tuple[str, str]] = field(default_factory=list)
    allowed: list[tuple[str, str]] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)

    @property
    def exit_status(self) -> int:
        """0 everything that may not differ is the same, 1 it is not, 2 could not tell."""
        if self.differ or self.missing or self.new:
            return 1
        return 2 if self.unknown or not (self.same or self.allowed) else 0


def locked(checkpoint: Checkpoint, advance: Advance = nothing) -> list[Entry]:
    """The lock entries of an open checkpoint, sorted by name; CheckpointError when the file is damaged."""
    readable = [tensor for tensor in checkpoint.tensors.values() if not tensor.unknown]
    digests = dict(zip((tensor.name for tensor in readable), hashed(readable, advance), strict=True))
    tensors = sorted(checkpoint.tensors.values(), key=lambda tensor: tensor.name)
    return [Entry(tensor.name, tensor.dtype, tensor.shape, digests.get(tensor.name, "")) for tensor in tensors]


def text(entries: Sequence[Entry]) -> str:
    """The lock file of the entries."""
    version = FORMATS[0] if all(entry.digest for entry in entries) else FORMATS[1]
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
        raise file.bad(f"has lock format {header[1]}; this frostline reads formats 1 and 2", "make it again")
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


def verify(
    checkpoint: Checkpoint,
    entries: dict[str, Entry],
    *,
    may_differ: Sequence[str] = (),
    partial: bool = False,
    renames: Sequence[tuple[str, str]] = (),
    allow_unread: Sequence[str] = (),
    advance: Advance = nothing,
) -> Verification:
    """Which tensors of a lock an open checkpoint still holds, bit for bit.

    Args:
        checkpoint: the file that claims to hold them, in any format and any sharding.
        entries: the lock.
        may_differ: patterns of tensors that may change, be new, or be gone.
        partial: the file need not hold every tensor, as an adapter does not.
        renames: pairs of names, or of the modules they start with, that mean the same.
        allow_unread: patterns of entries that need not be verified where they could not be read.
        advance: called with the number of bytes of each piece that was read.
    """
    pairs = paired(list(entries), list(checkpoint.tensors), renames)
    result = Verification()
    doubtful = []
    for name, entry in entries.items():
        tensor = checkpoint.tensors.get(pairs.get(name, ""))
        if tensor is None:
            _file_missing(result, name, may_differ, partial)
        elif tensor.unknown or not entry.digest:
            _unread(result, allow_unread, tensor.unknown or "was not read when it was locked", name, tensor.name)
        elif not dtypes.agree(tensor.dtype, entry.dtype) or tensor.shape != entry.shape:
            reason = f"{entry.dtype} {list(entry.shape)} became {tensor.dtype} {list(tensor.shape)}"
            _differing(result, may_differ, name, tensor.name, reason)
        else:
            doubtful.append((entry, tensor))
    for (entry, tensor), digest in zip(doubtful, hashed([t for _, t in doubtful], advance), strict=True):
        if digest == entry.digest:
            result.same.append(entry.name)
        else:
            _differing(result, may_differ, entry.name, tensor.name, "its bytes differ")
    arrived = set(checkpoint.tensors) - set(pairs.values())
    for name in sorted(arrived):
        unknown = checkpoint.tensors[name].unknown
        if matches_any(may_differ, name):
            result.allowed.append((name, "new"))
        elif unknown:
            _unread(result, allow_unread, unknown, name)
        else:
            result.new.append(name)
    return result


def unmatched(patterns: Sequence[str], names: Sequence[str]) -> list[tuple[str, str]]:
    """Patterns that match no name, each with a hint."""
    known = [*names, *(bare(name) for name in names)]
    return [(p, did_you_mean(p, known)) for p in patterns if not any(matches(p, name) for name in known)]


def _file_missing(result: Verification, name: str, may_differ: Sequence[str], partial: bool) -> None:
    if partial:
        result.absent.append(name)
    elif matches_any(may_differ, name):
        result.allowed.append((name, "missing"))
    else:
        result.missing.append(name)


def _differing(result: Verification, may_differ: Sequence[str], name: str, found: str, reason: str) -> None:
    (result.allowed if matches_any(may_differ, name, found) else result.differ).append((name, reason))


def _unread(result: Verification, allow_unread: Sequence[str], reason: str, name: str, found: str = "") -> None:
    (result.unread if matches_any(allow_unread, name, found or name) else result.unknown).append((name, reason))
