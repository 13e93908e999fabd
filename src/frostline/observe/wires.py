"""How programs hold leaves: the column *wired*, with the rates and the gradients that were seen at checks."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping

from frostline.core.facts import Fact, GradientsSeen, Held, OptimizerSeen
from frostline.core.ledger import Gradient, Program, Wire
from frostline.observe.live import Hold, Probe
from frostline.observe.watched import Watched


class Wires:
    """Writes down which program holds which leaf and with what, and remembers the gradients before the step under way.

    Args:
        probe: asked for learning rates and for the size of an update.
        leaves: all leaves under observation, by key; the observer goes on adding to them.
        tell: takes the facts.
    """

    def __init__(self, probe: Probe, leaves: Mapping[Hashable, Watched], tell: Callable[[Fact], None]) -> None:
        self.probe = probe
        self.leaves = leaves
        self.tell = tell
        self._ready: dict[tuple[str | None, Gradient], list[int]] = {}  # gradients seen and not told yet
        self.made_inside: bool | None = None  # whether the step just done made gradients itself, where that is known
        self._gradients: dict[Hashable, Gradient] = {}
        self._max_lr: dict[str, list[float | None]] = {}
        self._rates_open: dict[Hashable, bool] = {}  # whether a group has had no rate but zero so far

    def note(self, program: Program, holds: Mapping[Hashable, Hold]) -> None:
        """Before a step that is a check: what the program holds, and the gradients that lie ready for it."""
        listed = sum(hold.listed for hold in holds.values())
        if listed != program.holds:
            self.tell(OptimizerSeen(optimizer=program.id, holds=listed))
        same: dict[tuple[object, ...], list[int]] = {}
        for key, hold in holds.items():
            watched = self.leaves.get(key)
            if watched is None:
                continue
            wire, now = _wire(watched, program), tuple(getattr(hold, name) for name in _HOW)
            if wire is None or now != tuple(getattr(wire, name) for name in _HOW):
                same.setdefault(now, []).append(watched.row.id)
            if not hold.inside and (not watched.settled or wire is None or not wire.gradients):
                self.note_gradient(watched, program)
        for how, tensors in same.items():
            self.tell(Held(optimizer=program.id, tensors=tuple(tensors), **dict(zip(_HOW, how, strict=True))))  # type: ignore[arg-type]
        self.tell_gradients()

    def note_inside(self, program: Program, holds: Mapping[Hashable, Hold]) -> None:
        """Where the step itself makes the gradients, what is left of them tells; none left tells nothing."""
        for key, hold in holds.items():
            watched = self.leaves.get(key)
            if watched is None or not hold.inside or watched.settled:
                continue
            left = watched.leaf.gradient()
            gradient = self._gradients[key] = "unknown" if left == "none" else left
            self._ready.setdefault((program.id, gradient), []).append(watched.row.id)
        self.tell_gradients()

    def note_gradient(self, watched: Watched, program: Program | None = None) -> None:
        """Look at the gradient that lies ready for the coming step, of ``program`` where that holds the leaf."""
        gradient = self._gradients[watched.leaf.key] = watched.leaf.gradient()
        self._ready.setdefault((None if program is None else program.id, gradient), []).append(watched.row.id)

    def tell_gradients(self) -> None:
        """Tell of the gradients looked at since the last time."""
        for (optimizer, gradient), tensors in self._ready.items():
            self.tell(GradientsSeen(gradient=gradient, tensors=tuple(tensors), optimizer=optimizer))
        self._ready.clear()

    def gradient_of(self, watched: Watched, hold: Hold | None) -> Gradient:
        """The gradient that went into the step just done: a closure may have made it inside the step.

        Such a step may also have cleared what lay ready. Without a closure a gradient that was zero was zero: some
        optimizers add the decay to it in place.
        """
        before = self._gradients.get(watched.leaf.key) if hold is not None else None
        if before == "unknown" or (before == "nonzero" and not self.made_inside):
            return before
        if before == "zero" and self.made_inside is False:
            return before
        after = watched.leaf.gradient()
        found = before if before in ("none", "zero") and after != "nonzero" else after
        return "zero" if found == "none" and hold is not None and hold.fills_gaps else found

    def unexplained(self, watched: Watched, hold: Hold | None) -> bool:
        """Whether the coming step may move the leaf in a way that its gradient does not explain."""
        if hold is None:
            return False
        gradient = self._gradients.get(watched.leaf.key)
        if watched.frozen:
            return gradient != "none" or hold.copied or hold.fills_gaps
        return gradient == "zero" or (gradient in ("none", "unknown") and bool(hold.weight_decay))

    def note_stillness(self, key: Hashable, program: Program, watched: Watched) -> None:
        """A trainable leaf that the program holds did not move in its step: how large an update could have been."""
        wire = _wire(watched, program)
        if wire is not None and wire.gradients.get("nonzero"):
            bound = self.probe.update_ulp(key, watched.leaf)
            bound = bound if bound is None else max(bound, wire.update_ulp or 0.0)
            negligible = self.probe.negligible(key, watched.leaf)
            if (bound, negligible) != (wire.update_ulp, wire.negligible):
                tensors = (watched.row.id,)
                self.tell(Held(optimizer=program.id, tensors=tensors, update_ulp=bound, negligible=negligible))

    def rates_open(self, key: Hashable) -> bool:
        """Whether some group of the program has had no learning rate but zero so far."""
        return self._rates_open.get(key, True)

    def note_rates(self, key: Hashable, program: Program) -> None:
        """Remember the largest learning rate of each of the program's groups."""
        seen = self._max_lr.setdefault(program.id, [])
        for group, rate in enumerate(self.probe.rates(key)):
            if group >= len(seen):
                seen.append(rate)
            elif rate is not None and (seen[group] is None or rate > (seen[group] or 0.0)):
                seen[group] = rate
        self._rates_open[key] = not all(seen)

    def max_lr(self, program: str, group: int | None) -> float | None:
        """The largest learning rate seen of a group: at every step while it is zero, later at checks."""
        seen = self._max_lr.get(program, [])
        return seen[group] if group is not None and group < len(seen) else None


_HOW = ("group", "listed", "captured", "lr", "weight_decay", "state", "state_of")


def _wire(watched: Watched, program: Program) -> Wire | None:
    return next((wire for wire in watched.row.wired if wire.program == program.id), None)
