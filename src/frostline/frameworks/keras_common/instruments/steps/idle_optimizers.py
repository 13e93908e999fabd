"""Optimizers that the script built for the weights of a model, and that never stepped."""

from __future__ import annotations

import math
import sys
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from frostline.core.facts import Fact, OptimizerIdle
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.models.layers import outermost_with
from frostline.frameworks.keras_common.models.models import KEPT_ALIVE
from frostline.frameworks.keras_common.optimizers.captured_step import Capture, holds
from frostline.frameworks.keras_common.optimizers.optimizers import WIDEST

KEPT = 4
WAITS = 3  # steps of others after which one that has not stepped yet may never do so


@dataclass(slots=True)
class _Built:
    """An optimizer that was built after ``step``, with its variables and the models around them, kept alive."""

    optimizer: Any
    step: int
    variables: list[Any]
    models: list[Any]


class IdleOptimizers:
    """Takes what such optimizers were built for under observation: at a check in midst of training, else at the end.

    Those that are built before the first step are left to their first step.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (OptimizerIdle,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._built: list[_Built] = []

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        signals, optimizer_type = self._context.signals, self._context.dialect.optimizer_type
        signals.refreshed.append(self._look)
        signals.training_ended.append(self._settle)
        signals.closing.append(self._built.clear)
        return [self._context.wrap(optimizer_type, "build", self._build)] if hasattr(optimizer_type, "build") else []

    def _build(self, original: Callable[..., Any], optimizer: Any, variables: Any, *args: Any, **kwargs: Any) -> Any:
        """Around ``Optimizer.build``, which Keras calls itself when a model is about to be trained."""
        given = list(variables)
        context = self._context
        by_script = (
            context.recorder.steps and context.steps.running is None and _asked_by_script(context.dialect.package)
        )
        if by_script:
            context.quietly("an optimizer is built", lambda: self._note(optimizer, given))
        return original(optimizer, given, *args, **kwargs)

    def _note(self, optimizer: Any, variables: list[Any]) -> None:
        if WIDEST * sum(math.prod(each.shape) for each in variables) > KEPT_ALIVE:
            return
        models = outermost_with(variables, self._context.dialect)
        others = [each for each in self._built if [*map(id, each.variables)] != [*map(id, variables)]]
        self._built[:] = [*others[1 - KEPT :], _Built(optimizer, self._context.recorder.steps, variables, models)]

    def _look(self) -> None:
        """Models of which nobody knows yet get their first look now, so that the last one can tell what moved."""
        for built in self._idle():
            for model in built.models:
                self._context.models.meet(model)

    def _idle(self) -> list[_Built]:
        return [
            each for each in self._built if self._context.recorder.steps - each.step >= WAITS and not self._steps(each)
        ]

    def _steps(self, built: _Built) -> bool:
        optimizers = self._context.optimizers
        return optimizers.known(built.optimizer) is not None or bool(
            self._context.dialect.optimizers.iterations(built.optimizer)
        )

    def _settle(self) -> None:
        context = self._context
        for built in self._idle():
            source = context.optimizers.of_optimizer(built.optimizer, built.variables)
            references = {id(each): weakref.ref(built.optimizer) for each in built.variables}
            source.capture = Capture(flags=dict.fromkeys(references), optimizers=references)
            row = context.recorder.optimizers[source.key]
            context.recorder.holdings.note(row, holds(source, context.models, context.dialect))
            context.tell(OptimizerIdle(step=built.step, optimizer=row.id))


def _asked_by_script(package: str) -> bool:
    """Whether the call of ``build`` under way, which a class may have passed on to its base, is the script's own."""
    frame = sys._getframe(3)  # past this, our wrapper and what calls it
    while frame.f_back is not None and frame.f_code.co_name == "build":
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] != package
