"""How optimizers hold tensors: the column *optimizer*, with the rates and the gradients that were seen at checks."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from operator import attrgetter

from frostline.core.facts import Fact, GradientsSeen, Held, OptimizerSeen
from frostline.core.ledger import Gradient, Holding, OptimizerRow
from frostline.observe.protocols import Hold, Probe
from frostline.observe.tensor_state import TensorState


class Holdings:
    """Tells which optimizer holds which tensor and how, and remembers the gradients before the current step.

    Args:
        probe: asked for learning rates and for the size of an update.
        tensors: all tensors under observation, by key; the observer goes on adding to them.
        tell: takes the facts.
    """

    def __init__(self, probe: Probe, tensors: Mapping[Hashable, TensorState], tell: Callable[[Fact], None]) -> None:
        self.probe = probe
        self.tensors = tensors
        self.tell = tell
        self._ready: dict[tuple[str | None, Gradient], list[int]] = {}  # gradients seen and not told yet
        self.made_inside: bool | None = None  # whether the step just done made gradients itself, where that is known
        self._gradients: dict[Hashable, Gradient] = {}
        self._max_lr: dict[str, list[float | None]] = {}
        self._rates_open: dict[Hashable, bool] = {}  # whether a group has had no rate but zero so far

    def note(self, optimizer: OptimizerRow, holds: Mapping[Hashable, Hold]) -> None:
        """Before a step that is a check: what the optimizer holds, and the gradients that lie ready for it."""
        listed = sum(hold.listed for hold in holds.values())
        if listed != optimizer.holds:
            self.tell(OptimizerSeen(optimizer=optimizer.id, holds=listed))
        same: dict[tuple[object, ...], list[int]] = {}
        for key, hold in holds.items():
            watched = self.tensors.get(key)
            if watched is None:
                continue
            holding, now = _holding_of(watched, optimizer), _how(hold)
            if holding is None or now != _how(holding):
                same.setdefault(now, []).append(watched.row.id)
            if not hold.inside and (not watched.settled or holding is None or not holding.gradients):
                self.note_gradient(watched, optimizer)
        for how, tensors in same.items():
            self.tell(Held(optimizer=optimizer.id, tensors=tuple(tensors), **dict(zip(_HOW, how, strict=True))))  # type: ignore[arg-type]
        self.tell_gradients()

    def note_inside(self, optimizer: OptimizerRow, holds: Mapping[Hashable, Hold]) -> None:
        """Where the step itself makes the gradients, what is left of them tells.

        None left tells nothing of a trainable tensor; for one that is frozen no backward pass made any.
        """
        for key, hold in holds.items():
            watched = self.tensors.get(key)
            if watched is None or not hold.inside or watched.settled:
                continue
            left = watched.entry.gradient()
            gradient = self._gradients[key] = "unknown" if left == "none" and not watched.frozen else left
            self._ready.setdefault((optimizer.id, gradient), []).append(watched.row.id)
        self.tell_gradients()

    def note_gradient(self, watched: TensorState, optimizer: OptimizerRow | None = None) -> None:
        """Look at the gradient that lies ready for the coming step, of ``optimizer`` where that holds the tensor."""
        gradient = self._gradients[watched.entry.key] = watched.entry.gradient()
        self._ready.setdefault((None if optimizer is None else optimizer.id, gradient), []).append(watched.row.id)

    def tell_gradients(self) -> None:
        """Tell of the gradients looked at since the last time."""
        for (optimizer, gradient), tensors in self._ready.items():
            self.tell(GradientsSeen(gradient=gradient, tensors=tuple(tensors), optimizer=optimizer))
        self._ready.clear()

    def gradient_of(self, watched: TensorState, hold: Hold | None) -> Gradient:
        """The gradient that went into the step just done: a closure may have made it inside the step.

        Such a step may also have cleared what lay ready. Without a closure a gradient that was zero was zero: some
        optimizers add the decay to it in place.
        """
        before = self._gradients.get(watched.entry.key) if hold is not None else None
        if before == "unknown" or (before == "nonzero" and not self.made_inside):
            return before
        if before == "zero" and self.made_inside is False:
            return before
        after = watched.entry.gradient()
        found = before if before in ("none", "zero") and after != "nonzero" else after
        return "zero" if found == "none" and hold is not None and hold.fills_gaps else found

    def unexplained(self, watched: TensorState, hold: Hold | None) -> bool:
        """Whether the coming step may move the tensor in a way that its gradient does not explain."""
        if hold is None:
            return False
        gradient = self._gradients.get(watched.entry.key)
        if watched.frozen:
            return gradient != "none" or hold.copied or hold.fills_gaps
        return gradient == "zero" or (gradient in ("none", "unknown") and bool(hold.weight_decay))

    def note_stillness(self, key: Hashable, optimizer: OptimizerRow, watched: TensorState) -> None:
        """A trainable tensor that the optimizer holds did not move in its step: how large an update could have been."""
        holding = _holding_of(watched, optimizer)
        if holding is not None and holding.gradients.get("nonzero"):
            bound = self.probe.update_ulp(key, watched.entry)
            bound = bound if bound is None else max(bound, holding.update_ulp or 0.0)
            negligible = self.probe.negligible(key, watched.entry)
            if (bound, negligible) != (holding.update_ulp, holding.negligible):
                tensors = (watched.row.id,)
                self.tell(Held(optimizer=optimizer.id, tensors=tensors, update_ulp=bound, negligible=negligible))

    def rates_open(self, key: Hashable) -> bool:
        """Whether some group of the optimizer has had no learning rate but zero so far."""
        return self._rates_open.get(key, True)

    def note_rates(self, key: Hashable, optimizer: OptimizerRow) -> None:
        """Remember the largest learning rate of each of the optimizer's groups."""
        seen = self._max_lr.setdefault(optimizer.id, [])
        for group, rate in enumerate(self.probe.rates(key)):
            if group >= len(seen):
                seen.append(rate)
            elif rate is not None and (seen[group] is None or rate > (seen[group] or 0.0)):
                seen[group] = rate
        self._rates_open[key] = not all(seen)

    def max_lr(self, optimizer: str, group: int | None) -> float | None:
        """The largest learning rate seen of a group: at every step while it is zero, later at checks."""
        seen = self._max_lr.get(optimizer, [])
        return seen[group] if group is not None and group < len(seen) else None


_HOW = ("group", "listed", "captured", "lr", "weight_decay", "state", "state_of")
_how = attrgetter(*_HOW)


def _holding_of(watched: TensorState, optimizer: OptimizerRow) -> Holding | None:
    for holding in watched.row.optimizers:
        if holding.optimizer == optimizer.id:
            return holding
    return None
