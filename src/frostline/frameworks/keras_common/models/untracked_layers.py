"""Layers kept where the model does not see them: in plain objects and containers, and in what functions hold on to."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterator
from types import FunctionType, MethodType
from typing import Any

from frostline.frameworks.keras_common.keras_api import Dialect
from frostline.frameworks.keras_common.models.layers import layers_below

_LIBRARIES = ("keras", "tf_keras", "tensorflow", "torch", "jax", "jaxlib", "numpy", "builtins", "collections")
_MEASURES = ("Metric", "Loss", "Callback", "Optimizer")
_LISTS = (list, tuple, set, frozenset, deque)


def hidden_layers(model: Any, dialect: Dialect) -> Iterator[tuple[str, Any]]:
    """Layers with weights under plain objects and functions of the model, where tracking does not see them."""
    known = [chain[-1] for _, chain in layers_below(model, dialect)]
    registered = {id(layer) for layer in known}
    for path, chain in layers_below(model, dialect):
        for attribute, value in list(vars(chain[-1]).items()):
            for name, layer in _hidden_in(attribute, value, dialect, depth=2):
                if id(layer) not in registered:
                    registered.add(id(layer))
                    yield (f"{path}.{name}" if path else name), layer


def _hidden_in(name: str, value: Any, dialect: Dialect, depth: int) -> Iterator[tuple[str, Any]]:
    if _measures(value):  # before all else: the metrics of Keras 2 are layers
        return
    if isinstance(value, dialect.layer_type):
        if depth < 2:
            yield name, value
        return
    if depth == 0:
        return
    for inner, item in _inside(value):
        yield from _hidden_in(f"{name}.{inner}", item, dialect, depth - 1)


def _inside(value: Any) -> list[tuple[str, Any]]:
    """What a container, a function or a plain object of the user holds; what belongs to a library is left alone."""
    real = type(value)  # a proxy, such as what tensorflow puts around dictionaries, only says that it is one
    for kind in _LISTS:
        if issubclass(real, kind):
            return [(str(index), item) for index, item in enumerate(kind.__iter__(value))]
    if issubclass(real, dict):
        named = enumerate(dict.items(value))
        return [(str(key) if isinstance(key, (str, int)) else str(index), item) for index, (key, item) in named]
    if issubclass(real, (FunctionType, MethodType, functools.partial)):
        return _held_by_function(value)
    if issubclass(real, type) or _of_library(real.__module__):
        return []
    return list(getattr(value, "__dict__", {}).items())


def _held_by_function(value: Any) -> list[tuple[str, Any]]:
    """What a function closes over, the object of a method, the arguments that a partial call has already."""
    if isinstance(value, functools.partial):
        given = [(str(index), item) for index, item in enumerate(value.args)]
        return [*given, *value.keywords.items()]
    if isinstance(value, MethodType):
        return _inside(value.__self__)
    if _of_library(value.__module__) or not value.__closure__:
        return []
    cells = zip(value.__code__.co_freevars, value.__closure__, strict=True)
    return [(name, cell.cell_contents) for name, cell in cells if _is_filled(cell)]


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _measures(value: Any) -> bool:
    """A network in a metric or a loss is no part of the model: it judges, and nobody would train it."""
    bases = type(value).__mro__
    return any(base.__name__ in _MEASURES and _of_library(base.__module__) for base in bases)


def _of_library(module: str | None) -> bool:
    return (module or "").partition(".")[0] in _LIBRARIES
