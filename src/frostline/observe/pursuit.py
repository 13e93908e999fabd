"""Blame: following a leaf that moved and should not have, until it is caught in the act."""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable
from typing import TYPE_CHECKING

from frostline.core.ledger import Movement
from frostline.digest.shift import distance, follows
from frostline.observe.watched import Reading, Watched

if TYPE_CHECKING:
    from frostline.observe.observer import Observer

STEPS_FOLLOWED = 256
LARGEST_FOLLOWED = 2**20
FOLLOWED_AT_ONCE = 16
KIN_COMPARED = 64
ENOUGH_NUMBERS = 16  # fewer may be close by chance
SOURCES_SOUGHT = 32  # each may scan the whole process
RESEMBLES = 0.8  # relative distance; tensors that have nothing to do with each other are about 1.4 apart


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
        self._sources_sought = 0

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

    def after_step(self, key: Hashable) -> None:
        for watched in list(self.followed):
            reading = watched.look(self.observer.now, whole=True)
            if reading is not None:
                self.caught(watched, reading, self.observer.moved_in_step(key, watched, reading))
            watched.pursuit -= 1
            if watched.pursuit <= 0:
                self.release(watched)
        self.observer.probe.watch_forwards(self.active)

    def caught(self, watched: Watched, reading: Reading, movement: Movement) -> None:
        """One move was seen with copies: name what it followed or equals, and stop following."""
        if movement.shift is None:
            return
        if movement.place in ("outside", "step"):
            self.name_source(watched, reading, movement)
        if movement.place != "between":
            self.release(watched)

    def _own_past(self, watched: Watched) -> str | None:
        """A leaf that has again the very bits of the first look was written over from a copy of that time."""
        return "its own bits at the first look" if watched.digest == watched.first else None

    def _state_behind(self, watched: Watched, reading: Reading) -> str | None:
        """The optimizer's tensor towards which the leaf was moved: slow weights, an average of its own."""
        if reading.before is None or reading.after is None:
            return None
        for name, source in self.observer.probe.states(watched.leaf):
            if follows(reading.before, reading.after, source, watched.row.dtype) is not None:
                return name
        return None

    def release(self, watched: Watched) -> None:
        """Stop following; the leaf goes on being read at checks."""
        watched.pursuit = -1
        watched.keep = False
        watched.copy = None
        if watched in self.followed:
            self.followed.remove(watched)

    def name_source(self, watched: Watched, reading: Reading, movement: Movement) -> None:
        """Look for what the new bits came from: another leaf that was followed, or a copy kept somewhere."""
        if reading.after is None or self._sources_sought >= SOURCES_SOUGHT:
            return
        self._sources_sought += 1
        probe, dtype = self.observer.probe, watched.row.dtype
        kin = [(other, bytes(other.read())) for other in itertools.islice(probe.kin(watched.leaf), KIN_COMPARED)]
        for other, source in kin:
            rate = follows(reading.before, reading.after, source, dtype) if reading.before is not None else None
            if rate is not None:
                movement.follows, movement.rate = other.row.name, rate
                watched.row.changed.followed = other.row.name
                return
        movement.equals = (
            self._own_past(watched) or self._state_behind(watched, reading) or probe.copies(watched.leaf, reading.after)
        )
        if movement.equals is not None and watched.row.numbers >= ENOUGH_NUMBERS:
            near = [(distance(reading.after, source, dtype), other) for other, source in kin]
            closest = min(near, key=lambda pair: pair[0], default=(math.inf, watched.leaf))
            movement.resembles = closest[1].row.name if closest[0] < RESEMBLES else None
