"""Where a run stands: how many steps were executed, and which half-step it is now."""

from __future__ import annotations

from dataclasses import dataclass

from frostline.core.ledger import Place


@dataclass(slots=True)
class Clock:
    """Counts steps of all optimizers in half-steps: 2·n is just before global step n, 2·n + 1 just after it.

    ``closing`` says that the last check is under way, ``over`` that the run is at its end, ``steps_unseen`` that steps
    may run without anybody's knowledge (inside a compiled function).

    Example:
        >>> clock = Clock()
        >>> clock.before_step(); clock.after_step()
        >>> clock.steps, clock.now, clock.place_since(2), clock.place_since(3)
        (1, 3, 'between', 'outside')
    """

    steps: int = 0
    checks: int = 0
    now: int = 1
    closing: bool = False
    over: bool = False
    steps_unseen: bool = False

    def before_step(self) -> None:
        """A step is about to be made."""
        self.now = 2 * (self.steps + 1)

    def after_step(self) -> None:
        """The step was made."""
        self.steps += 1
        self.now = 2 * self.steps + 1

    def close(self) -> None:
        """The last check begins."""
        self.closing = True
        self.now = 2 * self.steps + (1 if self.steps else 0)

    def place_since(self, start: int) -> Place:
        """Where a move between the half-step ``start`` and now can have happened."""
        return "outside" if self.now - start <= 1 and start % 2 else "between"

    def place_now(self) -> Place:
        """Where a move seen at this moment happened: inside an optimizer's step that is under way, or outside."""
        return "outside" if self.now % 2 else "between"
