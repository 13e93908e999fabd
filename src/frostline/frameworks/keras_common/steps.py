"""Parts of the wrappers that both generations of Keras share."""

from __future__ import annotations

import contextlib
import functools
import math
import weakref
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from frostline.frameworks.keras_common.keras_api import Dialect
from frostline.frameworks.keras_common.models.layers import places
from frostline.frameworks.keras_common.optimizers.captured_step import Capture, Source

if TYPE_CHECKING:
    from frostline.frameworks.keras_common.probe import KerasProbe


class Assignments:
    """Notes which leaves the forward pass assigns to; only in steps that are checks, where steps are traced too.

    Args:
        probe: is told of every assignment.
        methods: the classes and names of the methods that assign.
    """

    def __init__(self, probe: KerasProbe, methods: list[tuple[type, str]]) -> None:
        self._probe = probe
        self._methods = [(next(base for base in owner.__mro__ if name in vars(base)), name) for owner, name in methods]

    @contextlib.contextmanager
    def noted(self, source: Source | None) -> Iterator[None]:
        """Inside, every assignment is noted, if the observer reads bits around this step."""
        if source is None or not self._probe.observer.checking:
            yield
            return
        originals = [vars(owner)[name] for owner, name in self._methods]
        for (owner, name), original in zip(self._methods, originals, strict=True):
            setattr(owner, name, self._noting(original))
        try:
            yield
        finally:
            for (owner, name), original in zip(self._methods, originals, strict=True):
                setattr(owner, name, original)

    def _noting(self, original: Any) -> Any:
        @functools.wraps(original)
        def assign(variable: Any, *args: Any, **kwargs: Any) -> Any:
            self._probe.quietly("a variable is assigned to", lambda: self._probe.wrote(variable))
            return original(variable, *args, **kwargs)

        return assign


def renew(probe: KerasProbe, model: Any, *, traced_before: bool) -> None:
    """A train function is wrapped: a new one tells what it captures when it runs first.

    One that was traced before frostline looked has told nobody; it is taken to train what its optimizer was built for.
    """
    source = probe.optimizers.known(model)
    if source is not None:
        source.capture = None
    optimizer = getattr(model, "optimizer", None)
    built: list[Any] = []
    if traced_before and optimizer is not None:
        built = list(probe.dialect.built_for(optimizer, model.weights) or model.trainable_weights)
    if built:
        source = probe.optimizers.of_model(model, "traced")
        references = {id(variable): weakref.ref(optimizer) for variable in built}
        source.capture = Capture(flags=dict.fromkeys(references, True), optimizers=references)


def printed_parameters(model: Any, dialect: Dialect, optimizer_variables: Iterable[Any] | None) -> dict[str, Any]:
    """The numbers at the foot of a summary, counted as Keras counts them, and what the flags alone say."""
    trainable = count(getattr(model, "_collected_trainable_weights", model.trainable_weights))
    others = count(model.non_trainable_weights)
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
