"""The bytes of Keras 3 variables on each backend; no backend is imported, each is met through its own arrays."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from frostline.core.ledger import Gradient
from frostline.frameworks.keras import torch_bytes
from frostline.frameworks.keras_common.tensors import tensorflow_bytes
from frostline.observe.protocols import NotNow, Unreadable

TRACKING = "_self_"  # of the attributes in which tensorflow keeps once more what its checkpoints are to hold
NO_VALUE = "the variable has no value: the backend took it for a step that ended in an exception"


class Reader(Protocol):
    """What differs between the backends when a variable is read."""

    def read(self, variable: Any) -> Any:
        """The live bytes as a buffer; Unreadable with the reason."""

    def scalar(self, variable: Any) -> float:
        """The value of a variable that holds one number."""

    def gradient(self, variable: Any) -> tuple[Gradient, bytes | None]:
        """What the backend keeps of the variable's gradient."""

    def state_of_gradient(self, gradient: Any) -> Gradient:
        """Whether a gradient that was handed to an optimizer is zero."""

    def strays(self, layer: Any) -> Iterable[tuple[str, Any]]:
        """See Dialect."""


class TensorflowReader:
    """Variables of the tensorflow backend: a ``tf.Variable`` inside."""

    def read(self, variable: Any) -> Any:
        """See Reader."""
        return tensorflow_bytes.variable_bytes(_filled(variable))

    def scalar(self, variable: Any) -> float:
        """See Reader."""
        return tensorflow_bytes.scalar(_filled(variable))

    def gradient(self, variable: Any) -> tuple[Gradient, bytes | None]:
        """See Reader; tensorflow keeps no gradients."""
        return "unknown", None

    def state_of_gradient(self, gradient: Any) -> Gradient:
        """See Reader."""
        return _gradient(tensorflow_bytes.is_zero(gradient))

    def strays(self, layer: Any) -> Iterable[tuple[str, Any]]:
        """See Reader; a single number is a setting rather than a weight."""
        mine = [(name, value) for name, value in vars(layer).items() if not name.startswith(TRACKING)]
        named = (each for item in mine for each in tensorflow_bytes.variables_in(*item))
        return [(name, variable) for name, variable in named if variable.trainable and variable.shape.rank]


class TorchReader:
    """Variables of the torch backend: a ``torch.nn.Parameter`` inside, or a plain buffer of a wrapped module."""

    def read(self, variable: Any) -> Any:
        """See Reader."""
        return torch_bytes.host_bytes(_filled(variable))

    def scalar(self, variable: Any) -> float:
        """See Reader."""
        return float(_filled(variable).detach())

    def gradient(self, variable: Any) -> tuple[Gradient, bytes | None]:
        """See Reader."""
        tensor = _filled(variable)
        known = torch_bytes.zero_state(tensor.grad)
        alike = tensor.grad is not None and tensor.grad.dtype == tensor.dtype
        return known, bytes(torch_bytes.host_bytes(tensor.grad)) if known == "nonzero" and alike else None

    def state_of_gradient(self, gradient: Any) -> Gradient:
        """See Reader."""
        return torch_bytes.zero_state(gradient)

    def strays(self, layer: Any) -> Iterable[tuple[str, Any]]:
        """See Reader; a single number is a setting rather than a weight."""
        named = list((vars(layer).get("_parameters") or {}).items())
        return [(name, value) for name, value in named if value is not None and value.requires_grad and value.dim()]


class JaxReader:
    """Variables of the jax backend: an array inside, or outside while ``fit`` carries the state.

    Nothing here keeps an array: an array that somebody still looks at could not be donated to the next step.
    """

    def __init__(self) -> None:
        self._lists: weakref.WeakKeyDictionary[Any, list[list[weakref.ref[Any]]]] = weakref.WeakKeyDictionary()
        self._now: dict[int, Any] = {}

    def lay_out(self, model: Any) -> None:
        """The model's state was made just now, in the order of its variables at this moment."""
        optimizer = getattr(model, "optimizer", None)
        variables = (model.trainable_variables, model.non_trainable_variables, optimizer.variables if optimizer else [])
        self._lists[model] = [[weakref.ref(each) for each in group] for group in variables]

    def enter(self, model: Any, state: Sequence[Sequence[Any]]) -> None:
        """Until ``leave`` the values are those of ``state``."""
        self._now = {id(variable): array for variable, array in self._paired(model, state)}

    def leave(self) -> None:
        """The values are where Keras keeps them."""
        self._now = {}

    def order(self, model: Any) -> list[Any]:
        """The trainable variables in the order of the model's state."""
        return [variable for reference in self._lists.get(model, [[]])[0] if (variable := reference()) is not None]

    def _paired(self, model: Any, state: Sequence[Sequence[Any]]) -> Iterator[tuple[Any, Any]]:
        for group, arrays in zip(self._lists.get(model, []), state, strict=False):
            for reference, array in zip(group, arrays, strict=False):
                yield reference(), array

    def _value(self, variable: Any) -> Any:
        if id(variable) in self._now:
            return self._now[id(variable)]
        if variable._value is not None:
            return variable._value
        for model in list(self._lists):
            state = getattr(model, "_jax_state", None)
            if state and not model._jax_state_synced:
                groups = [state.get(f"{kind}_variables") or [] for kind in ("trainable", "non_trainable", "optimizer")]
                for other, array in self._paired(model, groups):
                    if other is variable:
                        return array
        raise Unreadable(NO_VALUE)

    def read(self, variable: Any) -> Any:
        """See Reader."""
        array = self._value(variable)
        is_deleted = getattr(array, "is_deleted", None)  # asked first: a deleted array answers nothing else
        if is_deleted is None:
            raise NotNow("its value exists only while a step is traced")
        if is_deleted():
            raise NotNow("the backend deleted the array: it was given to a step, and no other was put in its place")
        array.block_until_ready()
        if len(array.sharding.device_set) == 1 and next(iter(array.sharding.device_set)).platform == "cpu":
            return _memory(array)
        return np.ascontiguousarray(np.asarray(array)).reshape(-1).view(np.uint8)

    def scalar(self, variable: Any) -> float:
        """See Reader."""
        kind = np.dtype(variable._dtype) if variable._dtype != "bfloat16" else None
        if kind is None:
            return float(np.asarray(self._value(variable)))
        return float(np.frombuffer(self.read(variable), kind)[0])

    def gradient(self, variable: Any) -> tuple[Gradient, bytes | None]:
        """See Reader; jax keeps no gradients."""
        return "unknown", None

    def state_of_gradient(self, gradient: Any) -> Gradient:
        """See Reader."""
        if not hasattr(gradient, "addressable_shards"):
            return "unknown"
        return _gradient(not np.asarray(gradient).any())

    def strays(self, layer: Any) -> Iterable[tuple[str, Any]]:
        """See Reader; jax has no variables."""
        return ()


def _memory(array: Any) -> Any:
    if array.nbytes == 0:
        return b""
    if array.on_device_size_in_bytes() != array.nbytes:
        raise Unreadable(f"numbers of type {array.dtype} are packed")
    view = (ctypes.c_char * array.nbytes).from_address(array.unsafe_buffer_pointer())
    view.array = array  # the view must not outlive its memory
    return view


def _filled(variable: Any) -> Any:
    value = getattr(variable, "_value", variable)
    if value is None:
        raise Unreadable(NO_VALUE)
    return value


def _gradient(zero: bool | None) -> Gradient:
    return "unknown" if zero is None else "zero" if zero else "nonzero"


READERS: dict[str, type[Any]] = {"jax": JaxReader, "tensorflow": TensorflowReader, "torch": TorchReader}
