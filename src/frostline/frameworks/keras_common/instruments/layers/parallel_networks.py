"""Networks known by themselves that stand in a model beside another one: both take and return the same shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from frostline.core.facts import Fact, NetworkInParallel
from frostline.frameworks.keras_common.context import Context


class ParallelNetworks:
    """Tells, for each such network, the weights of the other one: a teacher stands so beside its student.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (NetworkInParallel,)

    def __init__(self, context: Context) -> None:
        self._context = context

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.finishing.append(self._look)
        return []

    def _look(self) -> None:
        networks = {id(known.model) for known in self._context.models.known if known.model is not None}
        for known in self._context.models.known:
            members = self._context.models.dialect.children(known.model) if known.model is not None else ()
            networks_here = [each for each in members if id(each) in networks]
            for inner in networks_here:
                for other in members:
                    if other is not inner and _shapes(inner) == _shapes(other) is not None:
                        self._tell(inner, other)

    def _tell(self, inner: Any, other: Any) -> None:
        names, beside = (
            tuple(entry.row.name for entry in self._context.models.tensors_of(layer) if entry.row.kind == "parameter")
            for layer in (inner, other)
        )
        if names and beside and not set(names) & set(beside):
            self._context.tell(NetworkInParallel(step=self._context.recorder.steps, tensors=names, beside=beside))


def _shapes(layer: Any) -> tuple[object, object] | None:
    """What the layer takes and returns, without the batch; None where that is not known."""
    try:
        return tuple(layer.input_shape), tuple(layer.output_shape)
    except (AttributeError, TypeError, RuntimeError):  # not built, or called in several ways
        return None
