"""Weights that a step reads and that no model has: in a closure, at the top of the script, in a layer of a loss."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

import keras

from frostline.core.facts import Fact
from frostline.frameworks.keras_common.context import Context


class VariableReads:
    """Notes the trainable variables of no model that a step reads; only in steps that are checks, where it is traced.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = ()

    def __init__(self, context: Context) -> None:
        self._context = context
        self._owner: Any = next(base for base in keras.Variable.__mro__ if "value" in vars(base))
        self._read: dict[int, weakref.ref[Any]] = {}

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.checked_step.append(self._noted)
        return []

    @contextlib.contextmanager
    def _noted(self, model: Any) -> Iterator[None]:
        """Inside, every variable that is read is noted; but torch's compiler would take that into its graph."""
        if self._context.dialect.backend == "torch" and model.jit_compile:
            yield
            return
        original = vars(self._owner)["value"]
        self._owner.value = property(lambda variable: self._note(variable, original))
        try:
            yield
        finally:
            self._owner.value = original
            self._context.quietly("variables were read", self._meet)

    def _note(self, variable: Any, original: property) -> Any:
        if getattr(variable, "_trainable", False):
            self._read.setdefault(id(variable), weakref.ref(variable))
        return original.__get__(variable)

    def _meet(self) -> None:
        """Hand over what is in no model; a single number is a setting rather than a weight."""
        models, read = self._context.models, [reference() for reference in self._read.values()]
        self._read.clear()
        strange = [each for each in read if each is not None and models.of(each) is None and len(each.shape)]
        if strange:
            models.meet_strange(strange)
