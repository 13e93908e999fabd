"""The proof that a checkpoint still holds the tensors of a lock, bit for bit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from frostline.checkpoints import dtypes, extras
from frostline.checkpoints.checkpoint import Checkpoint
from frostline.checkpoints.digests import Advance, nothing
from frostline.checkpoints.lock.hashing import hashed
from frostline.checkpoints.lock.lock_file import Entry, of_others
from frostline.checkpoints.naming import matches_any, paired
from frostline.core.names.name_matching import bare
from frostline.core.names.patterns import matches
from frostline.errors import did_you_mean

_OTHERS_DIFFER = f"numbers or texts beside the tensors differ: diff names them, --may-differ {extras.NAME} lets them"


@dataclass(slots=True)
class Verification:
    """What a file proves about a lock: names by what became of them.

    ``allowed`` were free to differ and do; ``unread`` could not be read, and the caller said that they need not be;
    ``apart`` says what was not held against each other.
    """

    same: list[str] = field(default_factory=list)
    differ: list[tuple[str, str]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    unknown: list[tuple[str, str]] = field(default_factory=list)
    allowed: list[tuple[str, str]] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)
    apart: list[str] = field(default_factory=list)

    @property
    def exit_status(self) -> int:
        """0 everything that may not differ is the same, 1 it is not, 2 could not tell."""
        if self.differ or self.missing or self.new:
            return 1
        return 2 if self.unknown or not (self.same or self.allowed) else 0


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
    others = {name: entry for name, entry in entries.items() if entry.dtype == extras.DTYPE}
    entries = {name: entry for name, entry in entries.items() if name not in others}
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
    held = of_others(checkpoint)
    for entry in others.values():
        if not held:
            result.apart.append("the lock's numbers and texts beside the tensors, which this file has not")
        elif not partial and hashed(held) != [entry.digest]:
            _differing(result, may_differ, entry.name, entry.name, _OTHERS_DIFFER)
    if held and not others:
        result.apart.append("numbers and texts beside the tensors, which the lock has not")
    if checkpoint.remarks:
        result.apart.append("the file's metadata")
    result.apart += checkpoint.uncompared
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
