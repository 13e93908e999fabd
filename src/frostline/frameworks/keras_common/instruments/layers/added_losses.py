"""Losses that layers give to ``add_loss``, and whether anything reads ``losses``."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from frostline.core.facts import AddedLossUnread, Fact
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.patching import put


class AddedLosses:
    """Tells of layers that gave a loss where no training step, of the script's own or of Keras, asked for them.

    On jax the call without state collects them; whether what it returns is used shows in another reading.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (AddedLossUnread,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._gave: weakref.WeakSet[Any] = weakref.WeakSet()
        self._read = False

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        layer_type = self._context.dialect.layer_type
        definer = next(base for base in layer_type.__mro__ if "losses" in vars(base))
        original = vars(definer)["losses"]

        def losses(layer: Any) -> Any:
            self._read = self._read or sys._getframe(1).f_code.co_name != "stateless_call"
            return original.__get__(layer)

        self._context.signals.finished.append(self._finish)
        return [
            self._context.wrap(layer_type, "add_loss", self._add_loss),
            put(definer, "losses", property(losses, doc=original.__doc__)),
        ]

    def _add_loss(self, original: Callable[..., Any], layer: Any, *args: Any, **kwargs: Any) -> Any:
        if self._context.steps.running is not None:
            self._gave.add(layer)
        return original(layer, *args, **kwargs)

    def _finish(self) -> None:
        if self._read:
            return
        step = self._context.recorder.steps
        for layer in sorted(self._gave, key=lambda each: str(each.name)):
            names = [
                entry.row.name for entry in self._context.models.tensors if any(each is layer for each in entry.chain)
            ]
            if names:
                self._context.tell(AddedLossUnread(step=step, layer=str(layer.name), tensors=tuple(names)))
