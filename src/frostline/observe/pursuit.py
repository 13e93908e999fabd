"""Blame: following a leaf that moved and should not have, until it is caught in the act."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frostline.core.ledger import Movement, Program
from frostline.digest.shift import follows
from frostline.observe.watched import Reading, Watched

if TYPE_CHECKING:
    from frostline.observe.observer import Observer

STEPS_FOLLOWED = 256
LARGEST_FOLLOWED = 2**20
FOLLOWED_AT_ONCE = 16
KIN_COMPARED = 64


class Pursuit:
    """Leaves under closer watch: read just before and just after every step, with a copy, for a bounded time.

    A frozen leaf that moved outside a step, or somewhere between two checks, is followed until one move of it has
    been seen between two adjacent half-steps with the bytes before and after at hand. Of many leaves of one model
    that moved in the same interval only the smallest few are followed; the rules let them speak for the rest.
    """

    def __init__(self, observer: Observer) -> None:
        self.observer = observer
        self.followed: list[Watched] = []
        self._suspects: list[Watched] = []

    @property
    def active(self) -> bool:
        return bool(self.followed)

    def consider(self, watched: Watched, start: int) -> None:
        """A leaf moved between ``start`` and now; follow it when it was frozen all the while and the cause is open."""
        if watched.frozen_over(start) and watched.pursuit == 0 and watched.row.bytes <= LARGEST_FOLLOWED:
            self._suspects.append(watched)

    def begin(self) -> None:
        """After a check: start following the smallest suspects of each model, or go on with those already followed."""
        room = FOLLOWED_AT_ONCE - len(self.followed)
        for watched in sorted(self._suspects, key=lambda each: each.row.bytes)[: max(0, room)]:
            watched.pursuit = STEPS_FOLLOWED
            watched.keep = True
            watched.rebase(self.observer.now)
            self.followed.append(watched)
        self._suspects.clear()
        self.observer.probe.watch_forwards(self.active)

    def before_step(self) -> None:
        for watched in list(self.followed):
            start = watched.read_at
            reading = watched.look(self.observer.now, whole=True)
            if reading is not None:
                place = self.observer.place_since(start)
                self.caught(watched, reading, self.observer.write(watched, reading, place, start))
        self.observer.probe.watch_forwards(False)

    def after_step(self, program: Program) -> None:
        for watched in list(self.followed):
            start = watched.read_at
            reading = watched.look(self.observer.now, whole=True)
            if reading is not None:
                movement = self.observer.write(watched, reading, "step", start, program=program)
                self.caught(watched, reading, movement)
            watched.pursuit -= 1
            if watched.pursuit <= 0:
                self.release(watched)
        self.observer.probe.watch_forwards(self.active)

    def caught(self, watched: Watched, reading: Reading, movement: Movement) -> None:
        """One move was seen with copies: name what it followed or equals, and stop following."""
        if movement.shift is None or reading.before is None or reading.after is None:
            return
        if movement.place in ("outside", "step"):
            self._name_source(watched, reading, movement)
        if movement.place != "between":
            self.release(watched)

    def release(self, watched: Watched) -> None:
        """Stop following; the leaf goes on being read at checks."""
        watched.pursuit = -1
        watched.keep = False
        watched.copy = None
        if watched in self.followed:
            self.followed.remove(watched)

    def _name_source(self, watched: Watched, reading: Reading, movement: Movement) -> None:
        shift = movement.shift
        assert shift is not None
        assert reading.before is not None
        assert reading.after is not None
        for count, other in enumerate(self.observer.probe.kin(watched.leaf)):
            if count >= KIN_COMPARED:
                break
            rate = follows(reading.before, reading.after, bytes(other.read()), watched.row.dtype)
            if rate is not None:
                shift.follows, shift.rate = other.row.name, rate
                watched.row.changed.followed = other.row.name
                return
        shift.equals = self.observer.probe.copies(watched.leaf, reading.after)
