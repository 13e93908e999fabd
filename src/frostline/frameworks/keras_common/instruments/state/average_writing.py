"""Averages that an optimizer kept of the weights, written over these at the end of ``fit``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from frostline.core.facts import AverageMisplaced, Fact
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.writes import Writes


class AverageWriting:
    """Has weights looked at around ``finalize_variable_values``, and tells of those that got another's average.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (AverageMisplaced,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._writes = Writes(context)

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        return [self._context.wrap(self._context.dialect.optimizer_type, "finalize_variable_values", self._finalize)]

    def _finalize(self, original: Callable[..., Any], optimizer: Any, var_list: Any) -> Any:
        variables = list(var_list)
        if not optimizer.use_ema:
            return original(optimizer, variables)
        with self._writes.writing(optimizer, lambda: variables, "average overwritten"):
            result = original(optimizer, variables)
        self._context.quietly("averages were written", lambda: self._compare(optimizer, variables))
        return result

    def _compare(self, optimizer: Any, written: list[Any]) -> None:
        """Averages were written, by position, over these variables."""
        models, step = self._context.models, self._context.recorder.steps
        averaged = [variable for variable, _ in self._context.dialect.optimizers.averages(optimizer)]
        for source, target in zip(averaged, written, strict=False):
            one, other = models.of(source), models.of(target)
            if source is not target and one is not None and other is not None and one is not other:
                self._context.tell(AverageMisplaced(step=step, average_of=one.row.name, written_to=other.row.name))
