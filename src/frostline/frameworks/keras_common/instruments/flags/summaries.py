"""The numbers that ``Model.summary`` printed, taken down with what the flags said at that moment."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from msgspec import structs

from frostline.core.facts import Fact, SummaryPrinted
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.keras_api import Dialect
from frostline.frameworks.keras_common.models.layers import places
from frostline.observe.script_lines import script_line


class Summaries:
    """The summaries that were printed, whose tensors are named once the model is known.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (SummaryPrinted,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._printed: list[tuple[SummaryPrinted, weakref.ref[Any]]] = []

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        signals = self._context.signals
        signals.refreshed.append(self._name_tensors)
        signals.finished.append(self._name_tensors)
        signals.nothing_met.append(self._meet_models)
        return [self._context.wrap(self._context.dialect.model_type, "summary", self._summary)]

    def _summary(self, original: Callable[..., Any], model: Any, *args: Any, **kwargs: Any) -> Any:
        """Around ``Model.summary``."""
        result = original(model, *args, **kwargs)
        self._context.quietly("a summary was printed", lambda: self._note(model))
        return result

    def _note(self, model: Any) -> None:
        recorder = self._context.recorder
        printed = SummaryPrinted(
            origin=script_line(),
            step=recorder.steps,
            summary=next(recorder.journal.summaries),
            model=str(model.name),
            **printed_parameters(model, self._context.dialect),
        )
        self._context.tell(printed)
        self._printed.append((printed, weakref.ref(model)))

    def _name_tensors(self) -> None:
        """Name the tensors of the models that are known by now."""
        models = self._context.models
        for index, (printed, reference) in enumerate(self._printed):
            model = reference()
            if model is not None:
                names = tuple(entry.row.name for entry in models.tensors_of(model))
                named = structs.replace(printed, tensors=names, model=models.name_of(model))
                if named != printed:
                    self._context.tell(named)
                    self._printed[index] = named, reference

    def _meet_models(self) -> None:
        for _, reference in self._printed:
            model = reference()
            if model is not None:
                self._context.models.meet(model)


def printed_parameters(model: Any, dialect: Dialect) -> dict[str, Any]:
    """The numbers at the foot of a summary, counted as Keras counts them, and what the flags alone say."""
    trainable = count(getattr(model, "_collected_trainable_weights", model.trainable_weights))
    others = count(model.non_trainable_weights)
    optimizer_variables = dialect.summarised(model)
    optimizer = count(optimizer_variables) if optimizer_variables is not None else None
    flagged = [
        place.variable
        for place in places(model, dialect)
        if place.kind == "parameter" and dialect.flag(place.variable, [weakref.ref(layer) for layer in place.chain])
    ]
    return {
        "total": trainable + others + (optimizer or 0),
        "trainable": trainable,
        "non_trainable": others,
        "optimizer": optimizer,
        "flags_trainable": count(flagged),
    }


def count(variables: Iterable[Any]) -> int:
    """How many numbers the variables hold, each once."""
    unique = {id(variable): variable for variable in variables}
    return sum(math.prod(int(size) for size in variable.shape) for variable in unique.values())
