"""Blame: following a tensor that moved and should not have, until it is caught in the act."""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterable

from frostline.core.averages import by_gradient
from frostline.core.facts import Followed, MoveExplained
from frostline.core.ledger import LOADED, MERGED, Movement, TensorRow
from frostline.digest.floats import FLOATS
from frostline.digest.shift import distance, follows, may_follow
from frostline.observe.moves.copy_checks import compare_copies
from frostline.observe.moves.merging import is_merge
from frostline.observe.moves.movements import Movements
from frostline.observe.moves.value_samples import Glimpses
from frostline.observe.protocols import LiveTensor
from frostline.observe.tensor_state import Reading, TensorState
from frostline.observe.tracked import Tracked

STEPS_FOLLOWED = 256
LARGEST_FOLLOWED = 2**20
FOLLOWED_AT_ONCE = 16
KIN_COMPARED = 64
ENOUGH_VALUES = 16  # fewer may be close by chance
SOURCES_SOUGHT = 32  # searches through the whole process, and tensors asked without a copy of what they were
ROUNDING = 4  # units in the last place that one average of equal values may move them by
EQUAL = 1e-4  # relative distance that many such moves may add up to; in narrow types a single one is more
RESEMBLES = 0.8  # relative distance; tensors that have nothing to do with each other are about 1.4 apart


class Attribution:
    """Tensors under closer watch: read just before and just after every step, with a copy, for a bounded time.

    A frozen tensor that moved outside a step, or somewhere between two checks, is followed until one move of it has
    been seen between two adjacent half-steps with the bytes before and after at hand; so is one that no optimizer holds
    and that may be the copy of a trained one. Of many tensors of one model that moved in the same interval only the
    smallest few are followed; the rules let them speak for the rest.
    """

    def __init__(self, tracked: Tracked, movements: Movements) -> None:
        self.tracked = tracked
        self.movements = movements
        self.followed: list[TensorState] = []
        self._suspects: list[TensorState] = []
        self._asked = 0
        self._scans = 0
        self._glimpses = Glimpses()

    def consider(self, watched: TensorState, start: int) -> None:
        """A tensor moved between ``start`` and now; follow it where the cause is open: see the class."""
        asked = watched.pursuit == 0 and watched.row.bytes <= LARGEST_FOLLOWED
        if asked and (watched.frozen_over(start) or self.may_be_copy(watched)):
            self._suspects.append(watched)

    def may_be_copy(self, watched: TensorState) -> bool:
        """Whether no optimizer moves a trainable parameter, and one moves another of its shape, as that of a target."""
        row = watched.row
        if watched.frozen or row.kind != "parameter" or row.optimizers:
            return False
        if any(move.place not in ("outside", "between") for move in row.changed.movements):
            return False
        return any(holding.listed for other in self._kin(watched) for holding in other.row.optimizers)

    def begin(self) -> None:
        """After a check: start following the smallest suspects of each model, or go on with those already followed."""
        self._glimpses.take(self.tracked.tensors.values())
        room = FOLLOWED_AT_ONCE - len(self.followed)
        for watched in sorted(self._suspects, key=lambda each: each.row.bytes)[:room]:
            watched.pursuit = STEPS_FOLLOWED
            watched.keep, watched.settled = True, False
            watched.rebase(self.tracked.clock.now)
            self.followed.append(watched)
        self._suspects.clear()
        self.tracked.probe.watch_forwards(bool(self.followed))

    def before_step(self) -> None:
        for watched in list(self.followed):
            start = watched.read_at
            reading = watched.look(self.tracked.clock.now, whole=True)
            if reading is not None:
                place = self.tracked.clock.place_since(start)
                self.caught(watched, reading, self.movements.write(watched, reading, place, start))
        self.tracked.probe.watch_forwards(False)

    def after_step(self, key: Hashable) -> None:
        for watched in list(self.followed):
            reading = watched.look(self.tracked.clock.now, whole=True)
            if reading is not None:
                self.caught(watched, reading, self.movements.in_step(key, watched, reading))
            watched.pursuit -= 1
            if watched.pursuit <= 0:
                self.release(watched)
        self.tracked.probe.watch_forwards(bool(self.followed))

    def caught(self, watched: TensorState, reading: Reading, movement: Movement) -> None:
        """One move was seen with copies: name what it followed or equals, and stop following."""
        if movement.shift is None:
            return
        if movement.place == "outside" and is_merge(watched.row, reading, self._rows()):
            self.tracked.tell(MoveExplained(move=movement.id, event=MERGED))
        elif movement.place in ("outside", "step") and watched.frozen:
            self.name_source(watched, reading, movement)
        elif movement.place == "outside":
            self.name_copied(watched, reading, movement)
        if movement.place != "between":
            self.release(watched)
        elif not watched.frozen:
            watched.settled = False  # the next check is to look at it again

    def release(self, watched: TensorState) -> None:
        """Stop following; a frozen tensor goes on being read at checks."""
        watched.pursuit = -1
        watched.keep = False
        watched.settled = watched.settled or not watched.frozen
        watched.copy = None
        if watched in self.followed:
            self.followed.remove(watched)

    def name_source(self, watched: TensorState, reading: Reading, movement: Movement) -> None:
        """Look for what the new bits came from: another tensor that was followed, or a copy kept somewhere.

        A tensor that was seen to follow this one has its bits from here, not the other way round. Where a step may have
        made the move, and steps made others with a gradient, that the bits are elsewhere too shows nothing.
        """
        if movement.place == "between" and by_gradient(watched.row.changed.movements):
            return
        if reading.after is None or not _telling(watched.row, reading.after):
            return
        statistics = watched.row.kind == "buffer" and watched.row.owner.role == "normalisation"
        if statistics and watched.row.declared.training:
            return  # they move by themselves; a copy that has their bits has them from here
        if reading.before is None:  # of many tensors that moved at once some are asked; those followed can tell more
            if self._asked >= SOURCES_SOUGHT:
                return
            self._asked += 1
        kin = [(other.row, bytes(other.read())) for other in self._leading(watched)]
        followed = self._name_followed(watched, reading, movement, kin)
        if movement.place == "outside":
            compare_copies(self.tracked, [watched.entry.key])
        if followed or self._has_former_bits(watched, movement):
            return
        if any(
            bytes(other.read()) == reading.after for other in self._kin(watched) if _follows(other.row, watched.row)
        ):
            return
        equals = self._own_behind(watched, reading, reading.after)
        if equals is not None:
            self.tracked.tell(MoveExplained(move=movement.id, equals=equals))
        if equals is not None or statistics:
            return  # statistics move by themselves: a search through the whole process would tell nothing
        if self._scans >= SOURCES_SOUGHT:
            return
        self._scans += 1
        equals = self.tracked.probe.copies(watched.entry, reading.after)
        if equals is not None:
            self.tracked.tell(MoveExplained(move=movement.id, equals=equals))
        if equals is not None and watched.row.size >= ENOUGH_VALUES:
            near = [(distance(reading.after, source, watched.row.dtype), row) for row, source in kin]
            self._name_likeness(watched, movement, near + self._glimpses.distances(watched, reading.after))

    def name_copied(self, watched: TensorState, reading: Reading, movement: Movement) -> None:
        """Look whether a write moved the tensor to another one, or towards it: a copy, or an average."""
        if reading.before is not None and reading.after is not None and _telling(watched.row, reading.after):
            kin = ((other.row, bytes(other.read())) for other in self._leading(watched))
            if self._name_followed(watched, reading, movement, kin) and movement.event != LOADED:
                compare_copies(self.tracked, [watched.entry.key])  # what is loaded is compared when all of it is

    def _name_followed(
        self, watched: TensorState, reading: Reading, movement: Movement, kin: Iterable[tuple[TensorRow, bytes]]
    ) -> bool:
        for row, source in kin:
            rate = _rate(watched, movement, reading, source)
            if rate is not None:
                self.tracked.tell(MoveExplained(move=movement.id, follows=row.name, rate=rate))
                self.tracked.tell(Followed(tensor=watched.row.id, source=row.name))
                return True
        return False

    def _has_former_bits(self, watched: TensorState, movement: Movement) -> bool:
        """Whether another tensor had these bits at its last check, and has moved on by itself, as statistics do."""
        for other in self._leading(watched):
            seen = self.tracked.tensors.get(other.key)
            if seen is not None and seen.digest == watched.digest and other.row.dtype == watched.row.dtype:
                self.tracked.tell(MoveExplained(move=movement.id, follows=other.row.name, rate=1.0))
                self.tracked.tell(Followed(tensor=watched.row.id, source=other.row.name))
                return True
        return False

    def _rows(self) -> Iterable[TensorRow]:
        return (watched.row for watched in self.tracked.tensors.values())

    def _kin(self, watched: TensorState) -> Iterable[LiveTensor]:
        return itertools.islice(self.tracked.probe.kin(watched.entry), KIN_COMPARED)

    def _leading(self, watched: TensorState) -> Iterable[LiveTensor]:
        """Its kin, but for those that follow it."""
        return (other for other in self._kin(watched) if not _follows(other.row, watched.row))

    def _own_behind(self, watched: TensorState, reading: Reading, after: bytes) -> str | None:
        """What the tensor was moved back to: its first bits, or the optimizer's slow weights or average of it."""
        if watched.digest == watched.first:
            return "its own bits at the first check"
        if reading.before is None:
            return None
        for name, source in self.tracked.probe.states(watched.entry):
            if follows(reading.before, after, source, watched.row.dtype) is not None:
                return name
        return None

    def _name_likeness(self, watched: TensorState, movement: Movement, near: list[tuple[float, TensorRow]]) -> None:
        """Say which other tensor the copy is close to: an average of it.

        The tensor of the same name in another model is what an evaluation copy is meant to resemble; any other tensor
        is one whose average went astray.
        """
        apart, row = min(near, key=lambda pair: pair[0], default=(math.inf, watched.row))
        if apart >= RESEMBLES:
            return
        if row.model != watched.row.model and _below(row) == _below(watched.row):
            self.tracked.tell(Followed(tensor=watched.row.id, source=row.name))
        else:
            self.tracked.tell(MoveExplained(move=movement.id, resembles=row.name))


def _follows(row: TensorRow, other: TensorRow) -> bool:
    """Whether a tensor was seen to follow the other one, by more than what may have been rounding."""
    rates = [move.rate for move in row.changed.movements if move.follows == other.name]
    return row.changed.followed == other.name and (not rates or any(rates))


def _rate(watched: TensorState, movement: Movement, reading: Reading, source: bytes) -> float | None:
    """At which rate the tensor followed ``source``; 0.0 where it did, and rounding leaves no more of it to see."""
    before, after, dtype = reading.before, reading.after, watched.row.dtype
    if after is None or len(after) != len(source):
        return None
    if before is None:
        if source == after:
            return 1.0
        ulps = watched.compare(source, after).max_ulp
        return 0.0 if ulps is not None and ulps <= ROUNDING else None
    rate = follows(before, after, source, dtype)
    ulps = movement.shift.max_ulp if movement.shift is not None else None
    return 0.0 if rate is None and _may_average(before, after, source, dtype, ulps) else rate


def _may_average(before: bytes, after: bytes, source: bytes, dtype: str, ulps: int | None) -> bool:
    """Whether a tensor is so close to ``source`` that its move can be that of an average of it, lost in rounding.

    So moves a teacher's copy of what its student keeps frozen, and most of a teacher in a narrow type.
    """
    apart = max(distance(each, source, dtype) for each in (before, after))
    equal = max(EQUAL, ROUNDING * FLOATS[dtype].below_one) if dtype in FLOATS else 0.0
    if apart < equal and ulps is not None and ulps <= ROUNDING:
        return True
    return apart < RESEMBLES and may_follow(before, after, source, dtype)


def _telling(row: TensorRow, content: bytes) -> bool:
    """Whether bits can show where they came from: constants and counters are the same in many places."""
    if row.size < ENOUGH_VALUES and not row.dtype.startswith(("float", "bfloat", "complex")):
        return False
    size = row.bytes // row.size
    if row.size == 1:
        return any(content[: size // 2])  # of 0, 1 and other short fractions these bytes are zero
    return content != content[:size] * (len(content) // size)


def _below(row: TensorRow) -> str:
    """The tensor's name inside its model."""
    return row.name.removeprefix(f"{row.model}.")
