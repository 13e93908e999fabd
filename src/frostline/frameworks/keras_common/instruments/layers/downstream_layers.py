"""Networks that go on: what stands behind them in a row or graph of layers, as a new head behind a trained base."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from frostline.core.facts import Fact, NetworkContinued
from frostline.frameworks.keras_common.context import Context


class DownstreamLayers:
    """Tells of each network known by itself that is a layer of another, with the weights behind it there.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (NetworkContinued,)

    def __init__(self, context: Context) -> None:
        self._context = context

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.finishing.append(self._look)
        return []

    def _look(self) -> None:
        models, step = self._context.models, self._context.recorder.steps
        for outer in models.known:
            for inner in models.known:
                after = _behind(inner.model, outer.model) if inner.model is not None and outer.model is not None else []
                names = tuple(entry.row.name for layer in after for entry in models.tensors_of(layer))
                if names:
                    self._context.tell(NetworkContinued(step=step, network=inner.name, tensors=names))


def _behind(layer: Any, model: Any) -> list[Any]:
    """The layers of ``model`` that compute on what ``layer``, one of them, returned."""
    row = list(getattr(model, "layers", ()))
    if not any(each is layer for each in row):
        return []
    if type(model).__name__ == "Sequential":
        return row[next(place for place, each in enumerate(row) if each is layer) + 1 :]
    inside = {id(each) for each in row}
    found: dict[int, Any] = {}
    stack = [layer]
    while stack:
        for node in getattr(stack.pop(), "_outbound_nodes", ()):
            after = getattr(node, "operation", None) or getattr(node, "layer", None)
            if id(after) in inside and id(after) not in found:
                found[id(after)] = after
                stack.append(after)
    return list(found.values())
