"""Arrays that the script uses again after it has donated them to a step: nothing of their values is left."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import jax
from jax._src.array import ArrayImpl

from frostline.core.facts import DonatedUsed, Fact
from frostline.frameworks.jax.context import LIBRARIES, Context
from frostline.frameworks.jax.steps.functions import Call, Function
from frostline.frameworks.jax.tensors.paths import Arrays, Path, arrays_in, common_end
from frostline.observe.variable_names import namespaces

LARGEST = 1 << 12  # arrays of one variable that are looked through
KEPT = 32  # variables that are told


@dataclass(slots=True)
class Gone:
    """A variable with arrays that are gone: which step they were donated to, and the tensors whose values they were."""

    optimizer: str
    step: int
    tensors: dict[str, None] = field(default_factory=dict)
    arrays: dict[str, None] = field(default_factory=dict)


class DonatedArrays:
    """Hears of every use of an array that is gone; what the script gets is jax's own error.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (DonatedUsed,)

    def __init__(self, context: Context) -> None:
        self._context, self._calls = context, context.calls
        self._gone: dict[str, Gone] = {}

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        original = ArrayImpl._check_if_deleted

        @functools.wraps(original)
        def check_if_deleted(array: Any) -> Any:
            if array.is_deleted() and not self._calls.elsewhere:
                self._context.quietly("an array that is gone was used", self._used, array)
            return original(array)

        self._context.put(ArrayImpl, "_check_if_deleted", check_if_deleted)
        self._context.signals.call_failed.append(self._failed)
        self._context.signals.finished.append(self._finish)
        return []

    def _failed(self, _: Function, call: Call) -> None:
        """A call that is handed such an array does not begin."""
        for array in call.arrays.values():
            if isinstance(array, jax.Array) and array.is_deleted():
                self._used(array)

    def _used(self, array: Any) -> None:
        """Of the variable that holds the array all arrays that are gone are told."""
        name, held = self._holder_of(array)
        for path, each in held.items():
            found = self._tensor_of(each, path) if isinstance(each, jax.Array) and each.is_deleted() else None
            if found is not None and (len(self._gone) < KEPT or name in self._gone):
                function, tensor = found
                gone = self._gone.setdefault(name, Gone(function.key, self._context.recorder.steps))
                gone.tensors[tensor] = None
                gone.arrays[".".join(path)] = None

    def _holder_of(self, array: Any) -> tuple[str, Arrays]:
        """The variable that holds the array, with all arrays in it."""
        for namespace in namespaces(tuple(LIBRARIES)):
            for name, value in namespace:
                held = _arrays(name, value)
                if any(each is array for each in held.values()):
                    return name, held
        return "", {}

    def _tensor_of(self, array: Any, path: Path) -> tuple[Function, str] | None:
        """The tensor of which the array was a value, by path and shape, and a function that it was donated to."""
        shape = tuple(array.shape), str(array.dtype)
        alike = [
            (common_end(path, place), function, tensor.row.name)
            for function in self._context.answers.functions.values()
            for place, tensor in function.tensors.items()
            if (tensor.row.shape, tensor.row.dtype) == shape
        ]
        common, function, name = max(alike, key=lambda each: each[0], default=(0, None, ""))
        return (function, name) if common and function is not None else None

    def _finish(self) -> None:
        for name, gone in self._gone.items():
            self._context.tell(
                DonatedUsed(
                    step=gone.step,
                    optimizer=gone.optimizer,
                    tensors=tuple(gone.tensors),
                    name=name,
                    arrays=tuple(gone.arrays),
                )
            )


def _arrays(name: str, value: Any) -> Arrays:
    """The arrays in the value of a variable, where it is no huge tree."""
    try:
        return arrays_in(name, value) if len(jax.tree_util.tree_leaves(value)) <= LARGEST else {}
    except Exception:  # a type of the script that cannot be flattened
        return {}
