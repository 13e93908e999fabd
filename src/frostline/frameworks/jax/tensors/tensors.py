"""One tensor of a training in JAX: a place in the script's state, of which arrays are the values one after another."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from frostline.core.ledger import Gradient, TensorRow
from frostline.observe.protocols import NotNow, Unreadable

PASSED_ON = "its last value was handed on, and the script keeps no copy of it"
INSIDE = "it is made and trained within one call of a compiled function, outside which it has no value"


def bytes_of(array: Any) -> Any:
    """The bytes of an array in C order, each shard once; of an array on the CPU a view, to be dropped before a step.

    Raises:
        Unreadable: with the reason to print.
    """
    if isinstance(array, np.ndarray):
        return np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    if array.is_deleted():
        raise NotNow("its memory was donated to a step, and the script keeps no copy of it")
    shards = {str(shard.index): shard.data for shard in array.addressable_shards}
    parts = [np.ascontiguousarray(np.asarray(data)).reshape(-1).view(np.uint8) for data in shards.values()]
    if not parts:
        raise Unreadable("all of it is held by other processes")
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


class JaxTensor:
    """A place such as ``state.params.Dense_0.kernel``, with a weak reference to the array that is its value now.

    Args:
        key: by which the recorder knows it.
        row: what is known of it.
        settle: brings the values of all tensors up to date, before one is read.
    """

    __slots__ = ("_array", "_settle", "key", "left", "row")

    def __init__(self, key: Hashable, row: TensorRow, settle: Callable[[], None]) -> None:
        self.key = key
        self.row = row
        self.left: Gradient = (
            "none"  # of the step just done: none for what it does not update, zero where the trace proves it
        )
        self._settle = settle
        self._array: Callable[[], Any] = lambda: None

    def carry(self, array: Any) -> None:
        """From now on this array is the tensor's value."""
        self._array = weakref.ref(array)

    @property
    def array(self) -> Any:
        """The array that is known as its value, while the script keeps it."""
        return self._array()

    def read(self) -> Any:
        """The bytes now; see LiveTensor."""
        self._settle()
        array = self._array()
        if array is None:
            raise NotNow(PASSED_ON)
        return bytes_of(array)

    def part(self, start: int, stop: int) -> bytes:
        """See LiveTensor."""
        return bytes(memoryview(self.read())[start:stop])

    def gradient(self) -> Gradient:
        """What is known of the gradient that the step itself computed."""
        return self.left


class InnerTensor(JaxTensor):
    """A weight that a compiled function both makes and trains: no value of it is ever handed to the function."""

    __slots__ = ()

    def read(self) -> Any:
        """See LiveTensor."""
        raise Unreadable(INSIDE)
