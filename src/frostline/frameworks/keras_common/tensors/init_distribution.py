"""Whether weights still look like what their initialiser draws, or are nothing at all."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from frostline.frameworks.keras_common.tensors.tensors import NamedVariable
from frostline.observe.protocols import Unreadable

ENOUGH_VALUES = 64
_OF_TRUNCATED = 0.87962566  # the standard deviation that is left of a normal distribution cut at two of them


def looks_initial(entry: NamedVariable) -> bool | None:
    """Whether mean and spread are those of the layer's initialiser; None where that cannot be said."""
    chain, row = entry.chain, entry.row
    if not chain and not row.registered:
        return _is_even(entry)
    name = row.name.rpartition(".")[2]
    initializer = getattr(chain[-1], f"{name}_initializer", None) if chain else None
    expected = _spread(initializer, row.shape)
    if expected is None or row.dtype not in ("float32", "float64") or row.size < ENOUGH_VALUES:
        return None
    try:
        values = np.frombuffer(entry.read(), row.dtype).astype(np.float64)
    except Unreadable:
        return None
    mean, spread = expected
    slack = 4 / math.sqrt(2 * row.size)
    near = abs(values.mean() - mean) <= 4 * spread / math.sqrt(row.size)
    return bool(near and abs(values.std() / spread - 1) <= slack)


def is_zeros(entry: NamedVariable) -> bool | None:
    """Whether all numbers are zero; None where they cannot be read."""
    try:
        return not np.frombuffer(entry.read(), np.uint8).any()
    except Unreadable:
        return None


def _is_even(entry: NamedVariable) -> bool | None:
    """Whether all numbers of a variable of nobody are one, as weights begin; others were chosen by the script."""
    try:
        content = np.frombuffer(entry.read(), np.uint8).reshape(entry.row.size, -1)
    except Unreadable:
        return None
    return bool((content == content[0]).all())


def _spread(initializer: Any, shape: tuple[int, ...]) -> tuple[float, float] | None:
    """Mean and standard deviation of what the initialiser draws; None for constants and those of other kinds."""
    config = initializer.get_config() if hasattr(initializer, "get_config") else {}
    kind = type(initializer).__name__
    if "minval" in config:
        low, high = config["minval"], config["maxval"]
        return ((low + high) / 2, (high - low) / math.sqrt(12)) if high > low else None
    if "stddev" in config:
        return config["mean"], config["stddev"] * (_OF_TRUNCATED if kind.startswith("Truncated") else 1.0)
    if not hasattr(initializer, "scale") or len(shape) < 2:
        return None
    field = math.prod(shape[:-2])
    fans = {"fan_in": shape[-2] * field, "fan_out": shape[-1] * field}
    fan = fans.get(initializer.mode, sum(fans.values()) / 2)
    return 0.0, math.sqrt(initializer.scale / fan)
