"""Weights that a step reads and that no model has: in a closure, at the top of the script, in a layer of a loss."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from frostline.frameworks.keras_common.optimizers.captured_step import Source

if TYPE_CHECKING:
    from frostline.frameworks.keras_common.probe import KerasProbe


class Reads:
    """Notes the trainable variables of no model that a step reads; only in steps that are checks, where it is traced.

    Args:
        probe: whose models are asked what they own, and learn of the rest.
        kind: the class of variables, whose value is a property.
    """

    def __init__(self, probe: KerasProbe, kind: type) -> None:
        self._probe = probe
        self._owner: Any = next(base for base in kind.__mro__ if "value" in vars(base))
        self._read: dict[int, weakref.ref[Any]] = {}

    @contextlib.contextmanager
    def noted(self, source: Source | None) -> Iterator[None]:
        """Inside, every variable whose value is asked for is noted, if the observer reads bits around this step."""
        if source is None or not self._probe.observer.checking:
            yield
            return
        original = vars(self._owner)["value"]
        self._owner.value = property(lambda variable: self._note(variable, original))
        try:
            yield
        finally:
            self._owner.value = original
            self._probe.quietly("variables were read", self._meet)

    def _note(self, variable: Any, original: property) -> Any:
        if getattr(variable, "_trainable", False):
            self._read.setdefault(id(variable), weakref.ref(variable))
        return original.__get__(variable)

    def _meet(self) -> None:
        """Hand over what is in no model; a single number is a setting rather than a weight."""
        models, read = self._probe.models, [reference() for reference in self._read.values()]
        self._read.clear()
        strange = [each for each in read if each is not None and models.of(each) is None and len(each.shape)]
        if strange:
            models.meet_strange(strange)
