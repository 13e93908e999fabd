"""Compares two checkpoints tensor by tensor, by their bytes, several tensors at a time and never one whole."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from frostline.checkpoints import dtypes
from frostline.checkpoints.checkpoint import OPAQUE, Checkpoint, Tensor
from frostline.checkpoints.diff.moves import Meter, Move
from frostline.checkpoints.digests import Advance, digest_of, nothing
from frostline.checkpoints.extras import Change, changes
from frostline.checkpoints.files.sources import PIECE
from frostline.checkpoints.naming import matches_any, paired, tails
from frostline.checkpoints.parallel import parallel
from frostline.core.names.patterns import matches
from frostline.errors import CheckpointError, did_you_mean

STATES = ("same", "changed", "retyped", "reshaped", "renamed", "unknown")


@dataclass(slots=True)
class Pair:
    """One tensor in both files, under its new name; ``state`` is one of ``STATES``.

    ``move`` is there for tensors of one type and shape whose bytes differ. ``converted`` says of a tensor of another
    type whether the new values are the old ones rounded to it; ``same_bytes`` of another shape or type whether the
    bytes are the same; ``common_rows`` how many leading rows both shapes have, and ``move`` then compares these.
    """

    name: str
    old: Tensor
    new: Tensor
    state: str
    move: Move | None = None
    through: str = ""
    same_bytes: bool | None = None
    converted: bool | None = None
    common_rows: int | None = None


@dataclass(slots=True)
class Diff:
    """What changed from one checkpoint to another; every tensor of both files is in exactly one of the lists.

    ``allowed`` could not be read, and the caller said that they need not be. ``others`` are values beside the tensors.
    """

    old: Checkpoint
    new: Checkpoint
    pairs: list[Pair] = field(default_factory=list)
    added: list[Tensor] = field(default_factory=list)
    removed: list[Tensor] = field(default_factory=list)
    left_out: int = 0
    allowed: list[Tensor] = field(default_factory=list)
    others: list[Change] = field(default_factory=list)

    def of(self, state: str) -> list[Pair]:
        """The pairs in one state."""
        return [pair for pair in self.pairs if pair.state == state]

    @property
    def unread(self) -> dict[str, str]:
        """Entries of either file whose bytes could not be read, each with the reason."""
        tensors = [tensor for pair in self.pairs for tensor in (pair.old, pair.new)]
        return {tensor.name: tensor.unknown for tensor in (*tensors, *self.added, *self.removed) if tensor.unknown}

    @property
    def uncompared(self) -> list[str]:
        """What stands in either file and is compared by nothing."""
        return list(dict.fromkeys((*self.old.uncompared, *self.new.uncompared)))

    @property
    def differs(self) -> bool:
        """Whether something is certainly different."""
        moved = any(pair.state not in ("same", "unknown") for pair in self.pairs)
        return bool(moved or self.added or self.removed or self.others)

    @property
    def exit_status(self) -> int:
        """0 the same, 1 different, 2 could not tell."""
        return 1 if self.differs else 2 if self.of("unknown") or self.unread else 0


def compare(
    old: Checkpoint,
    new: Checkpoint,
    *,
    only: Sequence[str] = (),
    ignore: Sequence[str] = (),
    renames: Sequence[tuple[str, str]] = (),
    allow_unread: Sequence[str] = (),
    advance: Advance = nothing,
) -> Diff:
    """The difference of two open checkpoints.

    Args:
        old, new: the checkpoints.
        only: patterns; tensors that match none under any of their names are left out.
        ignore: patterns; tensors that match one are left out.
        renames: pairs of names, or of the modules they start with, that mean the same.
        allow_unread: patterns of entries that need not be compared where they could not be read.
        advance: called with the number of bytes of each piece that was compared.

    Raises:
        CheckpointError: a file is damaged or changed meanwhile, or ``only`` matches nothing.
    """
    pairs = paired(list(old.tensors), list(new.tensors), renames)
    chosen = _Chosen(only, ignore)
    diff = Diff(old, new, others=changes(old.values, new.values, chosen, old.kind == new.kind))
    diff.others += changes(old.remarks, new.remarks, chosen, is_one_format=False)
    known = [(old.tensors[one], new.tensors[other]) for one, other in pairs.items() if chosen(one, other)]
    matched = set(pairs.values())
    gone = [tensor for name, tensor in old.tensors.items() if name not in pairs and chosen(name)]
    come = [tensor for name, tensor in new.tensors.items() if name not in matched and chosen(name)]
    if only and not (known or gone or come):
        names = sorted({*old.tensors, *new.tensors})
        raise CheckpointError(f"no tensor matches {', '.join(only)}", did_you_mean(only[0], names))
    diff.left_out = len(old.tensors) + len(new.tensors) - 2 * len(known) - len(gone) - len(come)
    _set_allowed_apart(diff, known, gone, come, allow_unread)
    diff.pairs = parallel(lambda pair: _judged(*pair, advance), known, size=lambda pair: pair[0].nbytes)
    _find_renamed(diff, gone, come, advance)
    places = {name: place for place, name in enumerate(new.tensors)}
    diff.pairs.sort(key=lambda pair: places[pair.name])
    return diff


def _set_allowed_apart(
    diff: Diff, known: list[tuple[Tensor, Tensor]], gone: list[Tensor], come: list[Tensor], patterns: Sequence[str]
) -> None:
    """Move what could not be read, and need not be, out of what is compared."""

    def free(*tensors: Tensor) -> bool:
        return any(matches_any(patterns, tensor.name) for tensor in tensors if tensor.unknown)

    diff.allowed = [pair[1] for pair in known if free(*pair)] + [tensor for tensor in (*gone, *come) if free(tensor)]
    known[:] = [pair for pair in known if not free(*pair)]
    for side in (gone, come):
        side[:] = [tensor for tensor in side if not free(tensor)]


@dataclass(frozen=True, slots=True)
class _Chosen:
    only: Sequence[str]
    ignore: Sequence[str]

    def __call__(self, *names: str) -> bool:
        wanted = not self.only or any(matches(pattern, name) for pattern in self.only for name in names)
        return wanted and not any(matches(pattern, name) for pattern in self.ignore for name in names)


def equal(old: Tensor, new: Tensor) -> bool:
    """Whether two tensors have the same bytes."""
    return old.nbytes == new.nbytes and all(
        one == other for one, other in zip(old.source.pieces(PIECE), new.source.pieces(PIECE), strict=True)
    )


def _judged(old: Tensor, new: Tensor, advance: Advance) -> Pair:
    through = "" if old.name == new.name else old.name
    pair = Pair(new.name, old, new, "same", through=through)
    if old.unknown or new.unknown:
        alike = OPAQUE in (old.dtype, new.dtype) or (old.dtype, old.shape) == (new.dtype, new.shape)
        pair.state = "unknown" if alike else "reshaped"
    elif not dtypes.agree(old.dtype, new.dtype):
        pair.state, pair.same_bytes = "retyped", equal(old, new)
        pair.converted = _converted(old, new) if old.shape == new.shape else None
    elif old.shape != new.shape:
        pair.state = "reshaped"
        pair.same_bytes = equal(old, new)
        if old.shape[1:] == new.shape[1:] and old.shape and new.shape and (dtypes.bits(old.dtype) or 0) >= 8:
            pair.common_rows = min(old.shape[0], new.shape[0])
            pair.move = measured(old, new, advance)
    else:
        move = measured(old, new, advance)
        pair.state, pair.move = ("changed", move) if move else ("same", None)
    return pair


def measured(old: Tensor, new: Tensor, advance: Advance = nothing) -> Move | None:
    """How the bytes that two tensors have in common differ; None where they do not."""
    meter: Meter | None = None
    start = 0
    for one, other in zip(old.source.pieces(PIECE), new.source.pieces(PIECE), strict=False):
        common = min(len(one), len(other))
        if len(one) != len(other):
            one, other = one[:common], other[:common]
        if one != other:
            meter = meter or Meter(old)
            meter.add(start, one, other)
        start += common
        advance(common)
    return meter.done() if meter else None


def _converted(old: Tensor, new: Tensor) -> bool | None:
    """Whether ``new`` is ``old`` rounded to its type; None where numpy cannot convert."""
    source, target = dtypes.numeric(old.dtype), dtypes.numeric(new.dtype)
    if source is None or target is None or dtypes.bits(old.dtype) != 8 * source.itemsize:
        return None
    values = PIECE // 16
    pieces = zip(old.source.pieces(values * source.itemsize), new.source.pieces(values * target.itemsize), strict=True)
    with np.errstate(all="ignore"):
        return all(np.frombuffer(one, source).astype(target).tobytes() == other for one, other in pieces)


def _find_renamed(diff: Diff, gone: list[Tensor], come: list[Tensor], advance: Advance) -> None:
    """Pair what left with what came where type, shape and bytes are the same; the likest name wins among equals."""
    forms = {_form(tensor) for tensor in gone} & {_form(tensor) for tensor in come}
    doubtful = [tensor for tensor in (*gone, *come) if _form(tensor) in forms and tensor.nbytes and not tensor.unknown]
    prints = parallel(lambda tensor: digest_of(tensor, advance), doubtful, size=lambda tensor: tensor.nbytes)
    arrived = {id(tensor) for tensor in come}
    sides: dict[tuple[object, ...], _Likest] = {}
    for tensor, value in zip(doubtful, prints, strict=True):
        if id(tensor) in arrived:
            sides.setdefault((_form(tensor), value), _Likest()).add(tensor)
    found: dict[int, Tensor] = {}
    for tensor, value in zip(doubtful, prints, strict=True):
        side = sides.get((_form(tensor), value))
        best = side.likest(tensor.name) if side and id(tensor) not in arrived else None
        if side and best and equal(tensor, best):  # two files can be made to share a fingerprint
            side.taken.add(id(best))
            found[id(tensor)] = best
    for tensor in gone:
        if id(tensor) in found:
            partner = found[id(tensor)]
            diff.pairs.append(Pair(partner.name, tensor, partner, "renamed"))
        else:
            diff.removed.append(tensor)
    taken = {id(partner) for partner in found.values()}
    diff.added = [tensor for tensor in come if id(tensor) not in taken]


class _Likest:
    """Tensors of the same bytes, by the ends of their names: the likest one is found without looking at all."""

    def __init__(self) -> None:
        self._by_tail: dict[str, deque[Tensor]] = {}
        self.taken: set[int] = set()

    def add(self, tensor: Tensor) -> None:
        for tail in tails(tensor.name):
            self._by_tail.setdefault(tail, deque()).append(tensor)

    def likest(self, name: str) -> Tensor | None:
        """The first tensor not yet taken whose name shares most of its last parts with ``name``."""
        for tail in tails(name):
            waiting = self._by_tail.get(tail, deque())
            while waiting and id(waiting[0]) in self.taken:
                waiting.popleft()
            if waiting:
                return waiting[0]
        return None


def _form(tensor: Tensor) -> tuple[str, tuple[int, ...]]:
    return tensor.dtype, tensor.shape
