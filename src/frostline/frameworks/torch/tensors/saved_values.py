"""What is inside an object that a script saves or reads: tensors and arrays, with the names that they have there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import nn

from frostline.frameworks.torch.models import modules
from frostline.frameworks.torch.tensors.tensors import host_part

BUFFER = "memory"
_DEPTH = 6
_ITEMS = 1 << 17
Value: TypeAlias = torch.Tensor | np.ndarray


class Content:
    """A tensor about to be written; it lives as long as the call that writes it."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self._tensor = tensor

    def part(self, start: int, stop: int) -> bytes:
        """See Readable."""
        return host_part(self._tensor, start, stop)


def named_tensors(value: Any) -> Iterator[tuple[str, str, torch.Tensor]]:
    """Every tensor of what is saved, as (dictionary it stands in, name there, tensor)."""
    for section, name, found in named_values(value):
        if isinstance(found, torch.Tensor):
            yield section, name, found


def named_values(value: Any) -> Iterator[tuple[str, str, Value]]:
    """Every tensor and numpy array of what is saved, as (dictionary it stands in, name there, value).

    State of optimizers is left out: it has the shapes of the weights and is none.
    """
    stack: list[tuple[str, Any, int]] = [("", value, 0)]
    seen: set[int] = set()
    count = 0
    while stack and count < _ITEMS:
        section, item, depth = stack.pop()
        count += 1
        if id(item) in seen or depth > _DEPTH:
            continue
        seen.add(id(item))
        if isinstance(item, nn.Module):
            for each in modules.tensors_of(modules.unwrap(item)):
                yield section, each.name, each.tensor
            continue
        for name, inner in _members(item):
            if isinstance(inner, (torch.Tensor, np.ndarray)):
                yield section, name, inner
            else:
                stack.append((f"{section}.{name}" if section else name, inner, depth + 1))


def _members(item: Any) -> list[tuple[str, Any]]:
    if isinstance(item, (torch.optim.Optimizer, str, bytes, int, float, type)):
        return []
    if isinstance(item, dict):
        is_optimizer = {"state", "param_groups"} <= item.keys()
        return [] if is_optimizer else [(str(key), each) for key, each in list(item.items())]
    if isinstance(item, (list, tuple)):
        return [(str(index), each) for index, each in enumerate(item)]
    try:
        attributes = object.__getattribute__(item, "__dict__")
    except AttributeError:
        return []
    return list(attributes.items()) if type(attributes) is dict and not callable(item) else []


def path_of(target: Any) -> str:
    """What is written to, as a path; an object that is written to has a name, or is memory."""
    if isinstance(target, (str, os.PathLike)):
        return os.fsdecode(target)
    name = getattr(target, "name", None)
    return name if isinstance(name, str) else BUFFER


def base_name(target: Any) -> str:
    """The name of a file without its folders, which are nobody's business in a report."""
    return path_of(target).rstrip("/").rpartition("/")[2]
