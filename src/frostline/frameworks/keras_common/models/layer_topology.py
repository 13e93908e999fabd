"""Which layers stand before another in a row or graph of layers, with no way around it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any


def before(chain: tuple[Any, ...], models: Iterable[Any]) -> set[int]:
    """By id, the layers all of whose results go through the last of ``chain``, the layers from a model down to it.

    Args:
        chain: of one weight.
        models: whose outputs may lead past it.
    """
    found: set[int] = set()
    returned = {id(each) for model in models for each in _returned(model)}
    for around, inside in itertools.pairwise(chain):
        if _is_row(around):
            row = [id(layer) for layer in around.layers]
            found |= set(row[: row.index(id(inside))] if id(inside) in row else ())
        else:
            found |= _through(inside, returned)
    return found


def _is_row(model: Any) -> bool:
    return type(model).__name__ == "Sequential"


def _through(layer: Any, returned: set[int]) -> set[int]:
    """What computes for the layer alone, in the graph that it was called in."""
    front = _reached(layer, _sources)
    users = {name: {id(user) for user in _users(each)} for name, each in front.items()}
    past = {name for name in front if name in returned or users[name] - front.keys() - {id(layer)}}
    while more := {name for name in front if users[name] & past} - past:
        past |= more
    return front.keys() - past


def _reached(start: Any, step: Callable[[Any], list[Any]]) -> dict[int, Any]:
    found: dict[int, Any] = {}
    stack = [start]
    while stack:
        for each in step(stack.pop()):
            if each is not start and id(each) not in found:
                found[id(each)] = each
                stack.append(each)
    return found


def _sources(layer: Any) -> list[Any]:
    """What computed the arguments of the layer's symbolic calls."""
    return [_of(parent) for node in getattr(layer, "_inbound_nodes", ()) for parent in node.parent_nodes]


def _users(layer: Any) -> list[Any]:
    """What was called, symbolically, on the layer's results."""
    return [_of(node) for node in getattr(layer, "_outbound_nodes", ())]


def _returned(model: Any) -> list[Any]:
    """What computed the outputs of a graph of layers; a row returns what its last layer does."""
    outputs = None if _is_row(model) else getattr(model, "outputs", None)
    history = [getattr(tensor, "_keras_history", None) for tensor in outputs or ()]
    return [getattr(each, "operation", None) or getattr(each, "layer", None) for each in history if each is not None]


def _of(node: Any) -> Any:
    return getattr(node, "operation", None) or node.layer
