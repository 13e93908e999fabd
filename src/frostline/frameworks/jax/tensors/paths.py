"""Where an array stands in what the script hands to a function: the path that its user would write."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import jax
import numpy as np
from jax.core import Tracer

Path: TypeAlias = tuple[str, ...]
Arrays: TypeAlias = dict[Path, Any]
VALUE = jax.tree_util.GetAttrKey("value")


def tensors_of(tree: Any) -> dict[Path, Any]:
    """Everything at the ends of a pytree, by path.

    Example:
        >>> tensors_of({"dense": [1, 2]})
        {('dense', '0'): 1, ('dense', '1'): 2}
    """
    return {path_of_keys(keys): entry for keys, entry in jax.tree_util.tree_flatten_with_path(tree)[0]}


def arrays_in(root: str, tree: Any) -> Arrays:
    """The arrays of a pytree, by their paths below ``root``."""
    return {(root, *path): entry for path, entry in tensors_of(tree).items() if is_array(entry)}


def handed_back(result: Any) -> Arrays:
    """The arrays that a call hands back."""
    return arrays_in("out", result)


def arrays_of_call(names: list[str], args: Iterable[Any], kwargs: Mapping[str, Any]) -> Arrays:
    """The arrays that a call is handed, by paths below the names of the function's parameters."""
    found: Arrays = {}
    for index, value in enumerate(args):
        found.update(arrays_in(names[index] if index < len(names) else f"arg{index}", value))
    for name, value in kwargs.items():
        found.update(arrays_in(name, value))
    return found


def in_states(tree: Any) -> set[int]:
    """The ids of the arrays that are in states of optax, wherever these stand in a tree."""
    states = [each for each in jax.tree_util.tree_leaves(tree, is_leaf=_is_state) if _is_state(each)]
    return {id(array) for array in jax.tree_util.tree_leaves(states) if is_array(array)}


def _is_state(node: Any) -> bool:
    kind = type(node)
    return isinstance(node, tuple) and kind.__module__.startswith("optax") and kind.__name__.endswith("State")


def is_array(value: Any) -> bool:
    """Whether this is an array with a value, and not one that stands for a value while a function is traced."""
    return isinstance(value, (jax.Array, np.ndarray)) and not isinstance(value, Tracer)


def is_inexact(array: Any) -> bool:
    """Whether an array holds floating or complex numbers, as weights do."""
    return bool(jax.numpy.issubdtype(array.dtype, jax.numpy.inexact))


def parameter_names(function: Callable[..., Any]) -> list[str]:
    """The names of a function's parameters; none where it does not tell."""
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []


def common_end(one: Path, other: Path) -> int:
    """How many segments two paths have in common at their ends, the roots left out.

    Example:
        >>> common_end(("params", "dense", "kernel"), ("out", "0", "dense", "kernel"))
        2
    """
    count = 0
    for left, right in zip(reversed(one[1:]), reversed(other[1:]), strict=False):
        if left != right:
            break
        count += 1
    return count


def path_of_keys(keys: Iterable[Any]) -> Path:
    """The segments of a path; a variable of nnx is named by its place, and not by the attribute with its value."""
    keys = tuple(keys)
    if len(keys) > 1 and keys[-1] == VALUE:
        keys = keys[:-1]
    return tuple(map(_segment, keys))


def _segment(key: Any) -> str:
    for attribute in ("key", "idx", "name"):
        if hasattr(key, attribute):
            return str(getattr(key, attribute))
    return str(key)
