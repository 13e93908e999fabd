"""What is inside an object that a script writes to a file: arrays, with the names that they have there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import jax

from frostline.frameworks.jax.tensors.paths import is_array, path_of_keys
from frostline.frameworks.jax.tensors.tensors import bytes_of

# Their state has the shapes of the weights, and is none of them.
OPTIMIZERS = ("optax", "flax.nnx.training.optimizer")
STATE = frozenset(["opt_state", "optimizer_state", "opt", "optimizer", "mu", "nu", "trace"])


class Content:
    """An array about to be written; it lives as long as the call that writes it."""

    def __init__(self, array: Any) -> None:
        self._array = array

    def part(self, start: int, stop: int) -> bytes:
        """See Readable."""
        return bytes(memoryview(bytes_of(self._array))[start:stop])


def saved_values(tree: Any) -> Iterator[tuple[str, Any]]:
    """Every array of what is written, by the name that it has there; the state of optimizers is left out.

    Example:
        >>> import numpy as np
        >>> [name for name, _ in saved_values({"params": {"dense/kernel": np.ones(2)}, "opt_state": np.ones(2)})]
        ['params.dense.kernel']
    """
    entries, _ = jax.tree_util.tree_flatten_with_path(tree, is_leaf=_is_state)
    for keys, value in entries:
        path = path_of_keys(keys)
        if not is_array(value) or not _is_number(value) or not STATE.isdisjoint(path):
            continue
        yield ".".join(path).replace("/", ".") or "value", value


def file_of(target: Any) -> str | None:
    """The path of what is written to; an object that is written to may have a name."""
    if isinstance(target, (str, os.PathLike)):
        return os.fsdecode(target)
    name = getattr(target, "name", None)
    return name if isinstance(name, str) else None


def _is_state(value: Any) -> bool:
    return type(value).__module__.startswith(OPTIMIZERS)


def _is_number(array: Any) -> bool:
    return bool(jax.numpy.issubdtype(array.dtype, jax.numpy.number)) and array.size > 0
