"""Calls of ``fit`` that ended without a single epoch, and so without a step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from msgspec import structs

from frostline.core.facts import Fact, TrainingCallEmpty
from frostline.frameworks.keras_common.context import Context
from frostline.observe.script_lines import script_line


class TrainingCalls:
    """Looks at the history that ``Model.fit`` hands back.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (TrainingCallEmpty,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._empty: list[tuple[Any, TrainingCallEmpty]] = []

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.finished.append(self._finish)
        return [self._context.wrap(self._context.dialect.model_type, "fit", self._fit)]

    def _fit(self, original: Callable[..., Any], model: Any, *args: Any, **kwargs: Any) -> Any:
        history = original(model, *args, **kwargs)
        if getattr(history, "epoch", None) == []:
            self._context.quietly("after fit", lambda: self._note(model, kwargs))
        return history

    def _note(self, model: Any, arguments: dict[str, Any]) -> None:
        first, last = (arguments.get(name) for name in ("initial_epoch", "epochs"))
        seen = TrainingCallEmpty(
            origin=script_line(),
            step=self._context.recorder.steps,
            model=str(model.name),
            tensors=(),
            first_epoch=first if isinstance(first, int) else None,
            epochs=last if isinstance(last, int) else None,
        )
        self._empty.append((model, seen))

    def _finish(self) -> None:
        """Name the tensors, now that every model is known which ever trained."""
        models = self._context.models
        for model, seen in self._empty:
            rows = [entry.row for entry in models.tensors_of(model)]
            names = tuple(row.name for row in rows if row.kind == "parameter" and row.declared.trainable)
            self._context.tell(structs.replace(seen, model=models.name_of(model), tensors=names))
        self._empty.clear()
