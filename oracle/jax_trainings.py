"""Runs a plan with JAX and optax, compiled, donating or eagerly, and copies every array around every step."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import serialization

from oracle.copies import Copies, Moment, Step, Tensor
from oracle.plans import KINDS, SAVINGS, SCHEDULES, TYPES, Mutation, Plan, What, healthy_blocks

WIDTH = 4
BATCH = 8
COLLECTIONS = ("params", "batch_stats")
RATES = {"sgd": 0.1, "momentum": 0.05, "decay": 0.1, "adam": 0.01, "adamw": 0.01}
STEPS = (6, 9, 12, 20, 30)
STYLES = ("compiled", "donated", "eager")
Tree = dict[str, Any]


def plan(seed: int) -> Plan:
    """The plan of a seed, with what JAX lets go wrong: one optimizer, which is given every weight."""
    chance = random.Random(seed)
    healthy = Plan(
        seed,
        healthy_blocks(chance),
        chance.choice(STEPS),
        chance.choice(KINDS),
        chance.choice(SCHEDULES),
        1,
        False,
        chance.choice((None, None, 0.1, 1.0)),
        dtype=chance.choice(TYPES),
        accumulate=chance.choice((1, 1, 1, 2)),
        saving=chance.choice(SAVINGS),
    )
    count = chance.choice((0, 1, 1, 2))
    return replace(healthy, mutations=tuple(_mutation(healthy, chance) for _ in range(count)))


def _mutation(healthy: Plan, chance: random.Random) -> Mutation:
    trained = healthy.trained
    frozen = [index for index in range(len(healthy.blocks)) if index not in trained]
    statistics = [index for index in frozen if healthy.blocks[index].norm == "batch"]
    any_time = chance.randint(1, healthy.steps - 1)
    possible = [
        Mutation("rate zero", 0, chance.randint(1, max(1, healthy.steps // 3))),
        Mutation("no loss", 0, 0),
        Mutation("left in eval", 0, 0),
        Mutation("drop result", chance.choice(trained), 0),
    ]
    if trained[0] < len(healthy.blocks) - 1:
        possible.append(Mutation("cut", trained[0], 0))
    if healthy.saving != "none":
        possible += [Mutation("save older", 0, 0), Mutation("save a part", chance.choice(trained), 0)]
    if frozen:
        how: tuple[What, ...] = ("write", "undone write", "raw gradient")
        possible += [Mutation(chance.choice(how), chance.choice(frozen), any_time)] * 2
    if statistics:
        possible.append(Mutation("in training", chance.choice(statistics), 0))
    return chance.choice(possible)


def run(plan: Plan, copies: Copies) -> None:
    """Train as the plan says, mutations and all."""
    training = Training(plan)
    copies.held = [[name for name, each in training.moment().items() if each.trainable is not None]]
    first = training.copied()
    copies.take(training.moment())
    for step in range(plan.steps):
        training.write(step)
        before = copies.take(training.moment())
        training.step()
        copies.steps.append(Step(0, before, copies.take(training.moment())))
        copies.rounds.append(len(copies.moments) - 1)
        if plan.saving == "twice" and step == plan.steps // 2:
            training.save(training.state, copies)
    if plan.saving != "none":
        part = plan.has("save a part")
        training.save(first if plan.has("save older") else training.state, copies, _modules(part.block) if part else ())
    copies.take(training.moment())


class Training:
    """The state of a training, and what makes a step of it.

    Args:
        plan: of the training.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan, self._key = plan, jax.random.key(plan.seed)
        params, statistics = _weights(plan)
        self.state: Tree = {"params": params}
        self._style = STYLES[plan.seed % len(STYLES)]
        if self._style != "eager" and statistics:
            self.state["batch_stats"] = statistics
        if plan.average is not None:
            self.state["target"] = jax.tree.map(jnp.copy, params)
        self._optimizer = _optimizer(plan, params)
        self._moments = self._optimizer.init(params)
        self._step = self._made()

    def _made(self) -> Callable[..., Any]:
        plan, optimizer = self._plan, self._optimizer

        def train_step(state: Tree, moments: Any, batch: Any) -> tuple[Tree, Any]:
            def loss(params: Tree) -> Any:
                answers, statistics = _answers(plan, params, state.get("batch_stats", {}), batch)
                return (answers * 0).sum() if plan.has("no loss") else jnp.square(answers - 1).mean(), statistics

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
        """One step with a batch of its own; of a block whose result is dropped the former weights stay in place."""
        self._key, key = jax.random.split(self._key)
        batch = jax.random.normal(key, (BATCH, WIDTH), self._plan.dtype)
        former = self.state["params"]
        self.state, self._moments = self._step(self.state, self._moments, batch)
        dropped = self._plan.has("drop result")
        if dropped is not None:
            self.state["params"] |= {name: former[name] for name in _modules(dropped.block) if name in former}

    def write(self, step: int) -> None:
        """What the script does to frozen weights before a step."""
        for mutation in (each for each in self._plan.mutations if each.step == step):
            linear = self.state["params"][f"linear{mutation.block}"]
            match mutation.what:
                case "write":
                    linear["weight"] = linear["weight"] + 0.01
                case "undone write":
                    linear["weight"] = jnp.copy(linear["weight"])

    def copied(self) -> Tree:
        """The state as it is now, in arrays of its own."""
        return jax.tree.map(jnp.copy, self.state)

    def moment(self) -> Moment:
        """All weights and statistics as they are now."""
        return {name: Tensor(content, flag, self._plan.dtype) for name, content, flag in self._named(self.state)}

    def save(self, state: Tree, copies: Copies, left_out: Sequence[str] = ()) -> None:
        """Write weights and statistics, but for those of modules that are left out."""
        chosen = {
            collection: {name: each for name, each in state[collection].items() if name not in left_out}
            for collection in COLLECTIONS
            if collection in state
        }
        serialization.to_bytes(chosen)
        copies.written.append((copies.take(self.moment()), {name: each for name, each, _ in self._named(chosen)}))

    def _named(self, state: Tree) -> Iterator[tuple[str, bytes, bool | None]]:
        """By name: bytes, and whether a weight is to be trained. Where nothing is compiled, weights are named alone."""
        frozen = {name for index, each in enumerate(self._plan.blocks) if each.frozen for name in _modules(index)}
        for collection in COLLECTIONS:
            for module, arrays in state.get(collection, {}).items():
                for name, array in arrays.items():
                    path = (module, name) if self._style == "eager" else (collection, module, name)
                    flag = module not in frozen if collection == "params" else None
                    yield ".".join(path), np.asarray(array).tobytes(), flag


def _modules(block: int) -> tuple[str, str]:
    return f"linear{block}", f"norm{block}"


def _weights(plan: Plan) -> tuple[Tree, Tree]:
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


def _answers(plan: Plan, params: Tree, statistics: Tree, values: Any) -> tuple[Any, Tree]:
    """What the network answers, and the statistics after that."""
    gathered = dict(statistics)
    for index, block in enumerate(plan.blocks):
        linear, norm = (params.get(name) for name in _modules(index))
        values = values @ linear["weight"] + linear["bias"]
        if norm is not None:
            mean, spread = values.mean(1, keepdims=True), values.var(1, keepdims=True)
            if block.norm == "batch":
                mean, spread = values.mean(0), values.var(0)
                kept = statistics.get(f"norm{index}")
                if kept is not None and not _gathers(plan, index):
                    mean, spread = kept["running_mean"], kept["running_var"]
                elif kept is not None:
                    new = {"running_mean": mean, "running_var": spread}
                    gathered[f"norm{index}"] = optax.incremental_update(new, kept, 0.1)
            values = (values - mean) / jnp.sqrt(spread + 1e-3) * norm["weight"] + norm["bias"]
        values = jnp.tanh(values)
        if plan.has("cut", index) is not None:
            values = jax.lax.stop_gradient(values)
    return values @ params["head"]["weight"] + params["head"]["bias"], gathered


def _gathers(plan: Plan, index: int) -> bool:
    """Whether a batch normalisation is in training mode."""
    in_training = not plan.blocks[index].frozen or plan.has("in training", index) is not None
    return in_training and plan.has("left in eval") is None


def _optimizer(plan: Plan, params: Tree) -> Any:
    """What frozen modules have for an update is zero, by a label or by the last link of a chain."""
    frozen = {name for index, each in enumerate(plan.blocks) if each.frozen for name in _modules(index)}
    mask = {module: module in frozen for module in params}
    trained = {module: not still for module, still in mask.items()}
    trains = _trains(plan)
    if not frozen:
        optimizer = trains
    elif plan.has("raw gradient") is not None:
        optimizer = optax.masked(trains, trained)
    elif plan.seed // len(STYLES) % 2:
        optimizer = optax.chain(trains, optax.masked(optax.set_to_zero(), mask))
    else:
        labels = {module: "frozen" if still else "trained" for module, still in mask.items()}
        optimizer = optax.multi_transform({"trained": trains, "frozen": optax.set_to_zero()}, labels)
    return optax.MultiSteps(optimizer, plan.accumulate) if plan.accumulate > 1 else optimizer


def _trains(plan: Plan) -> Any:
    def rate(step: Any) -> Any:
        return RATES[plan.kind] * _factor(plan, step)

    eps = 1e-4 if plan.dtype == "float16" else 1e-8
    match plan.kind:
        case "momentum":
            return optax.sgd(rate, momentum=0.9)
        case "decay":
            return optax.chain(optax.add_decayed_weights(0.01), optax.sgd(rate))
        case "adam":
            return optax.adam(rate, eps=eps)
        case "adamw":
            return optax.adamw(rate, eps=eps, weight_decay=0.1)
    return optax.sgd(rate)


def _factor(plan: Plan, step: Any) -> Any:
    """What the schedule makes of the rate at a step."""
    stopped = plan.has("rate zero")
    factor = jnp.float32(1)
    if plan.schedule == "warm-up":
        factor = jnp.minimum(1, step / 3)
    elif plan.schedule == "to zero":
        factor = 1 - (step + 1) / plan.steps
    return factor if stopped is None else jnp.where(step >= stopped.step, 0, factor)
