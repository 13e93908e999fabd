"""The graph that a backward pass is about to walk: who hands gradients to which leaves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch

NODES_WALKED = 50_000


def listed(tensors: object) -> Iterable[object]:
    """One tensor or several, as several."""
    return tensors if isinstance(tensors, Iterable) and not isinstance(tensors, torch.Tensor) else (tensors,)


def starts_of(outputs: Any) -> list[Any]:
    """The nodes at which a backward pass from ``outputs``, a tensor or several, begins."""
    tensors = [outputs] if isinstance(outputs, torch.Tensor) else list(outputs) if _is_many(outputs) else []
    return [tensor.grad_fn for tensor in tensors if isinstance(tensor, torch.Tensor) and tensor.grad_fn is not None]


def _is_many(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def handed_over(starts: Iterable[Any], seen: set[Any] | None = None) -> Iterator[tuple[Any, int, torch.Tensor]]:
    """Every node of the graph that hands a gradient to a tensor: the node, the place among its results, the tensor.

    Args:
        starts: where to begin.
        seen: takes the nodes that were met; as many as ``NODES_WALKED`` mean that the walk was cut short.
    """
    stack, seen = list(starts), set() if seen is None else seen
    seen.update(stack)
    while stack and len(seen) < NODES_WALKED:
        node = stack.pop()
        for index, (following, _) in enumerate(node.next_functions):
            if following is None:
                continue
            variable = getattr(following, "variable", None)
            if variable is not None:
                yield node, index, variable
            elif following not in seen:
                seen.add(following)
                stack.append(following)


def tensors_below(outputs: Any) -> list[torch.Tensor] | None:
    """The tensors that a backward pass from ``outputs`` reaches; None where the graph is too large to walk."""
    seen: set[Any] = set()
    tensors = {id(entry): entry for _, _, entry in handed_over(starts_of(outputs), seen)}
    return list(tensors.values()) if len(seen) < NODES_WALKED else None


def tensors_of(roots: Iterable[object]) -> list[torch.Tensor]:
    """The tensors that a backward pass from ``roots`` would give gradients to, in the order of their meeting."""
    stack = [root.grad_fn for root in roots if isinstance(root, torch.Tensor)]
    seen, tensors = set(), []
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        tensor = getattr(node, "variable", None)
        if isinstance(tensor, torch.Tensor):
            tensors.append(tensor)
        stack.extend(function for function, _ in node.next_functions)
    return tensors
