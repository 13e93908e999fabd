"""JAX as the session knows it: attached, asked to look at something, closed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jax

from frostline.frameworks.jax.context import Context
from frostline.frameworks.protocol import Instrument


class Jax:
    """The compiled functions and loops of the process that train arrays, under observation.

    Args:
        context: the base of the instruments.
        instruments: in the order in which they are called.
    """

    name = "jax"

    def __init__(self, context: Context, instruments: Iterable[Instrument]) -> None:
        self._context = context
        self.observer = context.recorder
        self._place: tuple[int, int] | None = None
        context.signals.step_learned.append(lambda *_: self._note_place())
        for instrument in instruments:
            context.removers.extend(instrument.attach())

    def take(self, value: Any) -> None:
        """Nothing is known of an array by itself: it is a weight where something trains it."""

    def place_in_group(self) -> tuple[int, int] | None:
        """This process's rank and the number of processes, once it has joined others; None when alone."""
        self._note_place()
        return self._place

    def _note_place(self) -> None:
        """Processes part again before the run ends, and are ranks of one training all the same."""
        if self._place is None and _has_joined_others():
            self._place = jax.process_index(), jax.process_count()

    def close(self) -> None:
        """The last check; afterwards nothing is kept alive."""
        context = self._context
        context.quietly("at the end of training", context.calls.finish)
        context.calls.over = self.observer.clock.over = True
        for finishing in context.signals.finishing:
            context.quietly("before the last check", finishing)
        self.observer.close()
        for remove in reversed(context.removers):
            remove()
        context.answers.functions.clear()


def _has_joined_others() -> bool:
    """Whether ``jax.distributed`` was set up; what says so is newer than the oldest JAX that Keras runs on here."""
    if hasattr(jax.distributed, "is_initialized"):
        return bool(jax.distributed.is_initialized())
    from jax._src import distributed

    return distributed.global_state.client is not None
