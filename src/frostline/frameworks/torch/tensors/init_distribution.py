"""Whether weights still look as an initialiser makes them, by the distribution of their numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from frostline.frameworks.torch.tensors.tensors import NamedTensor
from frostline.observe.protocols import Unreadable

ENOUGH_VALUES = 64
PIECE = 1 << 18
UNIFORM, NORMAL = 1.8, 3.0  # the kurtosis of each distribution


def looks_default(module: nn.Module, entry: NamedTensor) -> bool | None:
    """Whether a weight still looks like what the module's initialiser makes, by its distribution; None if unclear.

    Linear and convolution weights start uniform in ±1/sqrt(fan_in), embeddings normal with unit variance. Trained
    weights of enough numbers do not keep to the bound and the spread of that distribution at once.
    """
    tensor = _readable(entry)
    if tensor is None or tensor.numel() < ENOUGH_VALUES:
        return None
    tolerance = 4 / math.sqrt(tensor.numel())
    if isinstance(module, (nn.Linear, nn.modules.conv._ConvNd)) and entry.row.name.endswith(".weight"):
        bound = 1 / math.sqrt(math.prod(entry.row.shape[1:]))
        seen = _moments(tensor)
        return seen.largest <= bound * 1.0001 and abs(seen.deviation / (bound / math.sqrt(3)) - 1) < tolerance
    if isinstance(module, nn.Embedding):
        seen = _moments(tensor)
        return abs(seen.deviation - 1) < tolerance and abs(seen.mean) < tolerance
    return None


def looks_drawn(entry: NamedTensor) -> bool:
    """Whether the numbers are all zero or all one, or spread evenly or normally around zero, however widely.

    Many a trained weight is spread so: this is no evidence by itself.
    """
    tensor = _readable(entry)
    if tensor is None or tensor.numel() == 0:
        return False
    seen = _moments(tensor)
    if seen.deviation == 0:
        return seen.mean in (0, 1)
    tolerance = 4 / math.sqrt(tensor.numel())
    margin = tolerance * math.sqrt(24)  # of the kurtosis of as many normal numbers, by four standard errors
    return abs(seen.mean) <= tolerance * seen.deviation and UNIFORM - margin <= seen.kurtosis <= NORMAL + margin


def _readable(entry: NamedTensor) -> torch.Tensor | None:
    try:
        tensor = entry.memory
    except Unreadable:
        return None
    return tensor if tensor.is_floating_point() and not tensor.is_meta else None


@dataclass(frozen=True, slots=True)
class _Moments:
    """Mean, standard deviation, largest absolute value, and the kurtosis around zero (0 where all are zero)."""

    mean: float
    deviation: float
    largest: float
    kurtosis: float


def _moments(tensor: torch.Tensor) -> _Moments:
    """The moments of all numbers, a piece at a time: a copy of the whole could be large."""
    total = squares = fourths = largest = 0.0
    for piece in tensor.detach().reshape(-1).split(PIECE):  # type: ignore[no-untyped-call]
        values = piece.double()
        total += float(values.sum())
        squared = values * values
        squares += float(squared.sum())
        fourths += float((squared * squared).sum())
        largest = max(largest, float(values.abs().max()))
    count = tensor.numel()
    mean = total / count
    deviation = math.sqrt(max(0.0, squares - count * mean * mean) / max(1, count - 1))
    return _Moments(mean, deviation, largest, count * fourths / squares**2 if squares else 0.0)
