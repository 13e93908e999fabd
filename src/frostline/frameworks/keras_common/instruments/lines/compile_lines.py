"""Which lines of the script compile models, and which make the optimizers that step."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from frostline.core.events import Act
from frostline.core.events.fact import Origin
from frostline.core.facts import Fact, LineSeen
from frostline.frameworks.keras_common.context import Context
from frostline.observe.script_lines import makers, script_line


class CompileLines:
    """Notes calls of ``compile``, and where optimizers were made; told once they have a row.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (LineSeen,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lines: list[tuple[weakref.ref[Any], Act, Origin, int]] = []  # not told yet, with the step

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        context, dialect = self._context, self._context.dialect
        context.signals.refreshed.append(self._tell)
        context.signals.finished.append(self._tell)
        return [
            context.wrap(dialect.model_type, "compile", self._compile),
            context.wrap(dialect.optimizer_type, "__init__", self._make),
        ]

    def _compile(self, original: Callable[..., Any], model: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(model, *args, **kwargs)
        self._context.quietly("a model was compiled", lambda: self._note(model, "compiled"))
        return result

    def _make(self, original: Callable[..., Any], optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(optimizer, *args, **kwargs)
        self._context.quietly("an optimizer was made", lambda: self._note(optimizer, "optimizer"))
        return result

    def _note(self, subject: Any, act: Act) -> None:
        line = script_line(but=makers(subject))
        if line is not None:
            self._lines.append((weakref.ref(subject), act, line, self._context.recorder.steps))

    def _tell(self) -> None:
        """Tell of those that step by now; of a model also where its optimizer was made."""
        rest, sources = [], self._context.optimizers.sources
        optimizers = {id(each): key for key, source in sources.items() for each in source.optimizers()}
        for reference, act, line, step in self._lines:
            subject = reference()
            source = self._context.optimizers.known(subject) if subject is not None else None
            key = source.key if source is not None else optimizers.get(id(subject))
            if key is not None:
                self._context.tell(LineSeen(step=step, act=act, optimizer=str(key), origin=line))
            elif subject is not None:
                rest.append((reference, act, line, step))
        self._lines = rest
