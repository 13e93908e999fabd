"""How a torch optimizer is wired: which tensors it holds, at what rates, with what state, and what a step can do."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import torch

from frostline.frameworks.torch.tensors.tensors import local
from frostline.observe.protocols import Hold

NOISE = 1e-6  # a few units of single precision's rounding, over a sum of some terms


def number(value: Any, *, waiting: bool = True) -> float | None:
    """A rate as a float; None where a group has none, and unless ``waiting`` where it would be waited for."""
    if isinstance(value, torch.Tensor):
        known = value.numel() == 1 and (waiting or value.device.type == "cpu")
        return float(value.detach()) if known else None
    return float(value) if isinstance(value, (int, float)) else None


def state_tensors(state: Mapping[str, Any], tensor: torch.Tensor) -> list[torch.Tensor]:
    """The floating tensors in an optimizer's state for ``tensor`` that have its shape, as far as they are held here."""
    return [
        local(value)
        for value in state.values()
        if isinstance(value, torch.Tensor) and value.shape == tensor.shape and value.is_floating_point()
    ]


def carries(optimizer: torch.optim.Optimizer, tensor: torch.Tensor) -> bool:
    """Whether the optimizer has state for the tensor that is not zero, and so can move it at zero gradient."""
    state = optimizer.state.get(tensor)
    return _any_nonzero(state_tensors(state, tensor)) if state else False


def _any_nonzero(tensors: Iterable[torch.Tensor]) -> bool:
    try:
        return any(bool(tensor.any()) for tensor in tensors)
    except RuntimeError:
        return True


def common_history(optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    """Vectors over the numbers of all tensors in a row, which an optimizer keeps under the first, as L-BFGS does."""
    tensors = [tensor for group in optimizer.param_groups for tensor in group["params"]]
    state = optimizer.state.get(tensors[0]) if len(tensors) > 1 else None
    if not state or any(map(torch.nn.parameter.is_lazy, tensors)):
        return []
    size = sum(tensor.numel() for tensor in tensors)
    kept = [each for value in state.values() for each in (value if isinstance(value, list) else [value])]
    return [each for each in kept if isinstance(each, torch.Tensor) and each.shape == (size,)]


def holds(optimizer: torch.optim.Optimizer, keys: Mapping[int, Iterable[Hashable]]) -> dict[Hashable, Hold]:
    """The tensors (by key, those that each tensor carries by its id) that it holds, each with its group's rates."""
    held: dict[Hashable, Hold] = {}
    history, start = common_history(optimizer), 0
    for index, group in enumerate(optimizer.param_groups):
        lr, decay = number(group.get("lr")), number(group.get("weight_decay"))
        for tensor in group["params"]:
            if (known := keys.get(id(tensor))) is not None:
                shared = _any_nonzero(vector[start : start + tensor.numel()] for vector in history)
                state = shared or carries(optimizer, tensor)
                for key in known:
                    held[key] = Hold(index, lr=lr, weight_decay=decay, state=state, fills_gaps=bool(history))
            if history:
                start += tensor.numel()
    return held


def step_bound(optimizer: torch.optim.Optimizer, group: Mapping[str, Any], tensor: torch.Tensor) -> torch.Tensor | None:
    """The update of the last step, element by element, for the families whose rule is known; None for others.

    Adam and its kin move by lr·m/(sqrt(v) + eps) with bias corrections near one in magnitude; plain and momentum
    SGD move by lr times the momentum buffer or the gradient. Both are computed from what the optimizer left behind.
    """
    rate = number(group.get("lr"))
    if rate is None:
        return None
    state = optimizer.state.get(tensor) or {}
    first, second = state.get("exp_avg"), state.get("exp_avg_sq")
    with torch.no_grad():
        if isinstance(first, torch.Tensor) and isinstance(second, torch.Tensor) and second.shape == tensor.shape:
            step = number(state.get("step")) or 1.0
            beta1, beta2 = (*group.get("betas", ()), 0.9, 0.999)[:2]
            mean = local(first).double() / (1 - float(beta1) ** step)
            spread = (local(second).double() / (1 - float(beta2) ** step)).sqrt() + float(group.get("eps", 1e-8))
            bound: torch.Tensor = rate * mean / spread
            return bound
        momentum = state.get("momentum_buffer")
        if isinstance(momentum, torch.Tensor) and momentum.shape == tensor.shape:
            return rate * local(momentum).double()
        known = type(optimizer).__name__ == "SGD"
        return rate * local(tensor.grad).double() if known and tensor.grad is not None else None


def largest_gradient(optimizer: torch.optim.Optimizer) -> float:
    """The largest absolute value in any gradient that the optimizer holds; NaN counts for nothing."""
    gradients = (each.grad for group in optimizer.param_groups for each in group["params"] if each.grad is not None)
    sizes = [largest_size(gradient) for gradient in gradients if gradient.layout == torch.strided]
    return max((size for size in sizes if size == size), default=0.0)


def largest_size(tensor: torch.Tensor) -> float:
    """The largest absolute value in the part of a dense tensor that this process holds."""
    values = local(tensor)
    return float(values.abs().max()) if values.numel() else 0.0
