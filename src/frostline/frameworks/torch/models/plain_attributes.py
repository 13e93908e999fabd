"""Tensors that modules keep in plain attributes, lists and dictionaries, where no parameter list has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import nn

from frostline.frameworks.torch.models.modules import tree_of
from frostline.frameworks.torch.tensors.graph import tensors_below

ITEMS = 64  # of a list or a dictionary


def plain_names(wanted: set[int], models: Iterable[tuple[str, nn.Module]]) -> dict[int, str]:
    """Names for the tensors whose ids are in ``wanted``: the attributes that hold them, or what was made of them alone.

    ``nn.Parameter(values).float()`` is a tensor made of a parameter: the module holds the former, and the latter gets
    the gradients.

    Args:
        wanted: ids of the tensors to name.
        models: the names of models, with their roots.
    """
    found: dict[int, str] = {}
    for model, root in models if wanted else ():
        for path, module in tree_of(root):
            for attribute, value in _plain(module):
                origins = [value] if value.grad_fn is None else tensors_below(value) or []
                if len(origins) == 1 and id(origins[0]) in wanted:
                    found.setdefault(id(origins[0]), ".".join(filter(None, (model, path, attribute))))
    return found


def _plain(module: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    for name, value in list(vars(module).items()):
        for key, item in _items(value):
            if isinstance(item, torch.Tensor):
                yield f"{name}.{key}" if key else name, item


def _items(value: Any) -> list[tuple[str, Any]]:
    if type(value) in (list, tuple):
        return [(str(index), item) for index, item in enumerate(value[:ITEMS])]
    if type(value) is dict:
        return [(str(key), item) for key, item in list(value.items())[:ITEMS] if isinstance(key, (str, int))]
    return [("", value)]
