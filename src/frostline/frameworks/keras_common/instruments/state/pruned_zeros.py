"""Zeros that a script writes into weights between two calls of ``fit``, and that further steps may fill."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from frostline.core.facts import Fact, ZerosFilled
from frostline.frameworks.keras_common.context import Context
from frostline.observe.checks.written_zeros import WrittenZeros


class PrunedZeros:
    """Has weights looked at before and after each call of ``fit``.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (ZerosFilled,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._zeros = WrittenZeros(context.recorder.tracked)

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.finished.append(self._zeros.close)
        return [self._context.wrap(self._context.dialect.model_type, "fit", self._fit)]

    def _fit(self, original: Callable[..., Any], model: Any, *args: Any, **kwargs: Any) -> Any:
        self._context.quietly("before fit", self._zeros.phase_begins)
        history = original(model, *args, **kwargs)
        self._context.quietly("after fit", self._zeros.phase_begins)
        return history
