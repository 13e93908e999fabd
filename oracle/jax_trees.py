"""Trainings of plain trees: by optax, or by updates that are written out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import serialization

from oracle.jax_optimizers import frozen_modules, gathers, modules, rate, with_frozen
from oracle.jax_training import WIDTH, Arrays, Training, activated, loss_of
from oracle.plans import Plan

COLLECTIONS = ("params", "batch_stats")
STYLES = ("compiled", "donated", "eager")
DECAY, MOMENTUM = {"decay": 0.01}, {"momentum": 0.9}
Tree = dict[str, Any]


class Optax(Training):
    """A tree that optax trains, compiled, with donated buffers or eagerly."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        params, statistics = weights(plan)
        self.state: Tree = {"params": params}
        self._style = style(plan.seed)
        if self._style != "eager" and statistics:
            self.state["batch_stats"] = statistics
        if plan.average is not None:
            self.state["target"] = jax.tree.map(jnp.copy, params)
        self._optimizer = with_frozen(plan, params, by_label=not plan.seed // len(STYLES) % 2)
        self._moments = self._optimizer.init(params)
        self._step = self._compiled()

    def _compiled(self) -> Callable[..., Any]:
        plan, optimizer = self.plan, self._optimizer

        def train_step(state: Tree, moments: Any, batch: Any) -> tuple[Tree, Any]:
            def loss(params: Tree) -> Any:
                given, statistics = answers(plan, params, state.get("batch_stats", {}), batch)
                return loss_of(plan, given), statistics

            gradients, statistics = jax.grad(loss, has_aux=True)(state["params"])
            updates, moments = optimizer.update(gradients, moments, state["params"])
            new: Tree = {"params": optax.apply_updates(state["params"], updates)}
            if "batch_stats" in state:
                new["batch_stats"] = statistics
            if "target" in state:
                new["target"] = optax.incremental_update(new["params"], state["target"], plan.average)
            return new, moments

        match self._style:
            case "compiled":
                return jax.jit(train_step)
            case "donated":
                return jax.jit(train_step, donate_argnums=(0, 1) if plan.has("drop result") is None else 1)
        return train_step

    def step(self) -> None:
        former = self.state["params"]
        self.state, self._moments = self._step(self.state, self._moments, self.batch())
        self.state["params"] |= {name: former[name] for name in self.dropped if name in former}

    def put(self, block: int, change: Any) -> None:
        linear = self.state["params"][f"linear{block}"]
        linear["weight"] = change(linear["weight"])

    def arrays(self, state: Tree) -> Arrays:
        """Where nothing is compiled, weights are named alone."""
        return {
            ".".join((module, name) if self._style == "eager" else (collection, module, name)): array
            for collection in COLLECTIONS
            for module, named in state.get(collection, {}).items()
            for name, array in named.items()
        }

    def write_file(self, state: Tree, left_out: Sequence[str]) -> Arrays:
        chosen = {
            collection: {name: each for name, each in state[collection].items() if name not in left_out}
            for collection in COLLECTIONS
            if collection in state
        }
        serialization.to_bytes(chosen)
        return self.arrays(chosen)


class ByHand(Training):
    """A tree that updates by hand train: in the compiled step, with donated buffers, or behind a compiled gradient.

    Frozen modules are an argument of their own, of which nothing declares anything.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        params, frozen = weights(plan)[0], frozen_modules(plan)
        self.state: Tree = {name: each for name, each in params.items() if name not in frozen}
        self._fixed = {name: each for name, each in params.items() if name in frozen}
        self._velocity = jax.tree.map(jnp.zeros_like, self.state)
        self._step = self._compiled(style(plan.seed))

    def _compiled(self, style: str) -> Callable[..., Any]:
        plan = self.plan
        momentum, decay = MOMENTUM.get(plan.kind, 0.0), DECAY.get(plan.kind, 0.0)

        def loss(trained: Tree, fixed: Tree, batch: Any) -> Any:
            return loss_of(plan, answers(plan, trained | fixed, {}, batch)[0])

        def update(trained: Tree, gradients: Tree, velocity: Tree, rate: Any) -> tuple[Tree, Tree]:
            velocity = jax.tree.map(lambda former, each: momentum * former + each, velocity, gradients)
            new = jax.tree.map(
                lambda weight, each: (weight - rate * (each + decay * weight)).astype(weight.dtype), trained, velocity
            )
            return new, velocity

        def train_step(trained: Tree, fixed: Tree, velocity: Tree, rate: Any, batch: Any) -> tuple[Tree, Tree]:
            return update(trained, jax.grad(loss)(trained, fixed, batch), velocity, rate)

        if style == "eager":
            gradient = jax.jit(jax.grad(loss))
            return lambda trained, fixed, velocity, rate, batch: update(
                trained, gradient(trained, fixed, batch), velocity, rate
            )
        return jax.jit(train_step, donate_argnums=(0, 2) if style == "donated" and not self.dropped else ())

    def step(self) -> None:
        former, now = self.state, rate(self.plan, self.made)
        self.state, self._velocity = self._step(self.state, self._fixed, self._velocity, now, self.batch())
        self.state |= {name: former[name] for name in self.dropped if name in former}

    def put(self, block: int, change: Any) -> None:
        linear = self._fixed[f"linear{block}"]
        linear["weight"] = change(linear["weight"])

    def flag(self, module: str) -> bool | None:
        return super().flag(module) or None

    def arrays(self, state: Tree) -> Arrays:
        return {
            f"{module}.{name}": array
            for module, named in (state | self._fixed).items()
            for name, array in named.items()
        }

    def write_file(self, state: Tree, left_out: Sequence[str]) -> Arrays:
        chosen = {name: each for name, each in (state | self._fixed).items() if name not in left_out}
        serialization.to_bytes(chosen)
        return {f"{module}.{name}": array for module, named in chosen.items() for name, array in named.items()}


def style(seed: int) -> str:
    """How the training of a seed makes its steps."""
    return STYLES[seed % len(STYLES)]


def weights(plan: Plan) -> tuple[Tree, Tree]:
    """The first weights, and the first statistics of batch normalisations."""
    params: Tree = {}
    statistics: Tree = {}
    widths = [WIDTH] * len(plan.blocks) + [2]
    for index, key in enumerate(jax.random.split(jax.random.key(plan.seed + 1), len(widths))):
        weight = 0.5 * jax.random.normal(key, (WIDTH, widths[index]), plan.dtype)
        name = f"linear{index}" if index < len(plan.blocks) else "head"
        params[name] = {"weight": weight, "bias": jnp.zeros(widths[index], plan.dtype)}
    for index, block in enumerate(plan.blocks):
        ones, zeros = jnp.ones(WIDTH, plan.dtype), jnp.zeros(WIDTH, plan.dtype)
        if block.norm != "none":
            params[f"norm{index}"] = {"weight": ones, "bias": zeros}
        if block.norm == "batch":
            statistics[f"norm{index}"] = {"running_mean": jnp.copy(zeros), "running_var": jnp.copy(ones)}
    return params, statistics


def answers(plan: Plan, params: Tree, statistics: Tree, values: Any) -> tuple[Any, Tree]:
    """What the network answers, and the statistics after that."""
    gathered = dict(statistics)
    for index, block in enumerate(plan.blocks):
        linear, norm = (params.get(name) for name in modules(index))
        values = values @ linear["weight"] + linear["bias"]
        if norm is not None:
            mean, spread = values.mean(1, keepdims=True), values.var(1, keepdims=True)
            if block.norm == "batch":
                mean, spread = values.mean(0), values.var(0)
                kept = statistics.get(f"norm{index}")
                if kept is not None and not gathers(plan, index):
                    mean, spread = kept["running_mean"], kept["running_var"]
                elif kept is not None:
                    new = {"running_mean": mean, "running_var": spread}
                    gathered[f"norm{index}"] = optax.incremental_update(new, kept, 0.1)
            values = (values - mean) / jnp.sqrt(spread + 1e-3) * norm["weight"] + norm["bias"]
        values = activated(plan, index, values)
    return values @ params["head"]["weight"] + params["head"]["bias"], gathered
