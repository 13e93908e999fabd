"""The bytes of tensorflow variables, read outside every graph and gradient tape.

Nothing of tensorflow is imported here: whoever calls has a variable of it at hand.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from frostline.observe.protocols import NotNow, Unreadable


def variable_bytes(variable: Any) -> Any:
    """The bytes of a ``tf.Variable`` as a buffer; no reference to its memory is kept.

    Raises:
        Unreadable: with the reason to print.
    """
    tensorflow = sys.modules["tensorflow"]
    try:
        with tensorflow.init_scope():
            array = variable.read_value()._numpy()
    except Exception as error:
        raise Unreadable(f"tensorflow does not give its value: {type(error).__name__}") from error
    if not array.size and 0 not in variable.shape:
        raise NotNow("it was made while a step is traced, and has no value before the trace is over")
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def scalar(variable: Any) -> float:
    """The value of a variable or tensor that holds one number."""
    tensorflow = sys.modules["tensorflow"]
    with tensorflow.init_scope():
        value = variable.read_value() if hasattr(variable, "read_value") else variable
        return float(value.numpy())


def is_symbolic(tensor: Any) -> bool:
    """Whether a tensor belongs to a graph and has no value yet."""
    return not hasattr(tensor, "numpy")


def is_zero(tensor: Any) -> bool | None:
    """Whether every number of an eager gradient is zero; None where it has no value to look at."""
    values = getattr(tensor, "values", tensor)
    if callable(values) or is_symbolic(values):
        return None
    return not np.asarray(values.numpy()).any()


def in_graph() -> bool:
    """Whether tensorflow is building a graph at this moment."""
    return not sys.modules["tensorflow"].executing_eagerly()


def is_variable(value: Any) -> bool:
    """Whether ``value`` is a variable of tensorflow."""
    return isinstance(value, sys.modules["tensorflow"].Variable)


def variables_in(name: str, value: Any, depth: int = 2) -> Iterator[tuple[str, Any]]:
    """The variables that ``value`` is or holds, a list, a dictionary or a ``tf.Module``, by dotted names."""
    if is_variable(value):
        yield name, value
    elif isinstance(value, sys.modules["tensorflow"].Module):
        for variable in value.variables:
            yield f"{name}.{str(variable.name).partition(':')[0]}", variable
    elif depth and isinstance(value, (dict, list, tuple)):
        named = list(value.items() if isinstance(value, dict) else enumerate(value))
        for key, item in named:
            yield from variables_in(f"{name}.{key}", item, depth - 1)


def function_type() -> type:
    """The class of what ``tf.function`` returns."""
    return type(sys.modules["tensorflow"].function(lambda: None))
