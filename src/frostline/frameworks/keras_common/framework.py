"""A Keras as the session knows it: attached, asked to look at something, closed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from frostline.core.journal import Journal
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.keras_api import Dialect
from frostline.frameworks.protocol import Instrument
from frostline.settings import Settings


class Keras:
    """Every model and optimizer of one generation of Keras in the process, under observation.

    Args:
        context: the base of the instruments.
        instruments: in the order in which they are called.
    """

    def __init__(self, context: Context, instruments: Iterable[Instrument]) -> None:
        self.name = context.dialect.package
        self._context = context
        self.observer = context.recorder
        for instrument in instruments:
            context.removers.extend(instrument.attach())

    def take(self, value: Any) -> None:
        """Observe a model or optimizer that was named explicitly; anything else is left alone."""
        context = self._context
        if isinstance(value, context.dialect.model_type):
            context.quietly("a model was named", lambda: context.models.meet(value))
        elif isinstance(value, context.dialect.optimizer_type):
            known = getattr(value, "_trainable_variables", None) or ()
            context.quietly("an optimizer was named", lambda: context.models.meet_variables(known))

    def place_in_group(self) -> tuple[int, int] | None:
        """See Framework; None, as processes are joined by the backend, which is asked itself."""
        return None

    def close(self) -> None:
        """The last check; afterwards nothing is wrapped and nothing is kept alive."""
        context, signals = self._context, self._context.signals
        pending = context.steps.loose.key if context.steps.loose is not None else None
        context.steps.end_loose_step()
        context.models.enter(None)
        context.publish("at the end of training", signals.training_ended)
        if not context.models.tensors:
            context.publish("looking for models", signals.nothing_met)
            context.quietly("looking for models", context.models.meet_all)
        for remove in reversed(context.removers):
            remove()
        context.publish("before the last check", signals.finishing)
        context.quietly("the last check", lambda: self.observer.close(pending))
        context.publish("after the last check", signals.closing)
        context.closed = True
        context.models.let_go()
        context.optimizers.let_go()


def attach(
    dialect: Callable[[], Dialect],
    instruments: Iterable[Callable[[Context], Instrument]],
    settings: Settings,
    journal: Journal,
    on_check: Callable[[], None],
    fault: Callable[[str, BaseException], None],
) -> Keras:
    """Observe every model and optimizer of one generation of Keras in this process from now on.

    Args:
        dialect: makes what knows how that generation spells things.
        instruments: what hooks it, in the order in which they are called.
        settings: of the run.
        journal: takes the facts.
        on_check: called after each check.
        fault: takes errors inside frostline.
    """
    context = Context(dialect(), settings, journal, on_check, fault)
    return Keras(context, [instrument(context) for instrument in instruments])
