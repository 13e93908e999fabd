"""The optimizers of optax that a plan asks for, the rate at each step, and who is left out of the updates."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import optax

from oracle.plans import Plan

RATES = {"sgd": 0.1, "momentum": 0.05, "decay": 0.1, "adam": 0.01, "adamw": 0.01}


def frozen_modules(plan: Plan) -> set[str]:
    """The names of the modules that are not to be trained."""
    return {name for index, each in enumerate(plan.blocks) if each.frozen for name in modules(index)}


def modules(block: int) -> tuple[str, str]:
    """What the two modules of a block are called."""
    return f"linear{block}", f"norm{block}"


def gathers(plan: Plan, index: int) -> bool:
    """Whether a batch normalisation is in training mode."""
    in_training = not plan.blocks[index].frozen or plan.has("in training", index) is not None
    return in_training and plan.has("left in eval") is None


def with_frozen(plan: Plan, names: Any, by_label: bool) -> Any:
    """Of all modules: what frozen ones have for an update is zero, by a label or by the last link of a chain."""
    frozen = frozen_modules(plan)
    mask = {module: module in frozen for module in names}
    trained = {module: not still for module, still in mask.items()}
    trains = _trains(plan)
    if not frozen:
        optimizer = trains
    elif plan.has("raw gradient") is not None:
        optimizer = optax.masked(trains, trained)
    elif not by_label:
        optimizer = optax.chain(trains, optax.masked(optax.set_to_zero(), mask))
    else:
        labels = {module: "frozen" if still else "trained" for module, still in mask.items()}
        optimizer = optax.multi_transform({"trained": trains, "frozen": optax.set_to_zero()}, labels)
    return _gathering(plan, optimizer)


def of_trained(plan: Plan) -> Any:
    """Of the modules alone that are to be trained."""
    return _gathering(plan, _trains(plan))


def rate(plan: Plan, step: Any) -> Any:
    """The rate of a step."""
    return RATES[plan.kind] * _factor(plan, step)


def _gathering(plan: Plan, optimizer: Any) -> Any:
    return optax.MultiSteps(optimizer, plan.accumulate) if plan.accumulate > 1 else optimizer


def _trains(plan: Plan) -> Any:
    def scheduled(step: Any) -> Any:
        return rate(plan, step)

    eps = 1e-4 if plan.dtype == "float16" else 1e-8
    match plan.kind:
        case "momentum":
            return optax.sgd(scheduled, momentum=0.9)
        case "decay":
            return optax.chain(optax.add_decayed_weights(0.01), optax.sgd(scheduled))
        case "adam":
            return optax.adam(scheduled, eps=eps)
        case "adamw":
            return optax.adamw(scheduled, eps=eps, weight_decay=0.1)
    return optax.sgd(scheduled)


def _factor(plan: Plan, step: Any) -> Any:
    """What the schedule makes of the rate at a step."""
    stopped = plan.has("rate zero")
    factor = jnp.float32(1)
    if plan.schedule == "warm-up":
        factor = jnp.minimum(1, step / 3)
    elif plan.schedule == "to zero":
        factor = 1 - (step + 1) / plan.steps
    return factor if stopped is None else jnp.where(step >= stopped.step, 0, factor)
