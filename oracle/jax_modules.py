"""Trainings of networks that are made of modules: flax linen with its TrainState, flax nnx, equinox."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from flax import linen, nnx, serialization
from flax.training import train_state

from oracle.jax_optimizers import frozen_modules, gathers, modules, of_trained, with_frozen
from oracle.jax_training import BATCH, WIDTH, Arrays, Training, activated, loss_of
from oracle.plans import Plan

FOLLOWS = 0.9  # running statistics keep so much of what they were


class LinenNetwork(linen.Module):
    """The blocks of a plan in a row, and a head."""

    plan: Plan

    @linen.compact
    def __call__(self, values: Any) -> Any:
        dtype = jnp.dtype(self.plan.dtype)
        for index, block in enumerate(self.plan.blocks):
            linear, norm = modules(index)
            values = linen.Dense(WIDTH, dtype=dtype, param_dtype=dtype, name=linear)(values)
            if block.norm == "batch":
                values = linen.BatchNorm(
                    not gathers(self.plan, index), momentum=FOLLOWS, dtype=dtype, param_dtype=dtype, name=norm
                )(values)
            elif block.norm == "layer":
                values = linen.LayerNorm(dtype=dtype, param_dtype=dtype, name=norm)(values)
            values = activated(self.plan, index, values)
        return linen.Dense(2, dtype=dtype, param_dtype=dtype, name="head")(values)


class State(train_state.TrainState):  # type: ignore[misc, no-untyped-call]
    """Weights with their optimizer, statistics, and the average of the weights where there is one."""

    batch_stats: Any
    target: Any


class Linen(Training):
    """A network of flax linen in a ``TrainState``."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        network = LinenNetwork(plan)
        variables = network.init(jax.random.key(plan.seed + 1), jnp.ones((BATCH, WIDTH), plan.dtype))
        params = variables["params"]
        self.state = State.create(
            apply_fn=network.apply,
            params=params,
            tx=with_frozen(plan, params, by_label=bool(plan.seed % 2)),
            batch_stats=variables.get("batch_stats", {}),
            target=None if plan.average is None else jax.tree.map(jnp.copy, params),
        )

        def train_step(state: State, batch: Any) -> State:
            def loss(params: Any) -> Any:
                variables = {"params": params, "batch_stats": state.batch_stats}
                given, changed = state.apply_fn(variables, batch, mutable=["batch_stats"])
                return loss_of(plan, given), changed.get("batch_stats", {})

            gradients, statistics = jax.grad(loss, has_aux=True)(state.params)
            new = state.apply_gradients(grads=gradients, batch_stats=statistics)
            if plan.average is None:
                return new
            return new.replace(target=optax.incremental_update(new.params, state.target, plan.average))

        donated = plan.seed // 2 % 2 and not self.dropped
        self._step = jax.jit(train_step, donate_argnums=0 if donated else ())

    def step(self) -> None:
        former = self.state.params
        self.state = self._step(self.state, self.batch())
        kept = {name: former[name] for name in self.dropped if name in former}
        if kept:
            self.state = self.state.replace(params=self.state.params | kept)

    def put(self, block: int, change: Any) -> None:
        linear, _ = modules(block)
        module = self.state.params[linear]
        new = {linear: module | {"kernel": change(module["kernel"])}}
        self.state = self.state.replace(params=self.state.params | new)

    def arrays(self, state: State) -> Arrays:
        return _named({"params": state.params, "batch_stats": state.batch_stats})

    def write_file(self, state: State, left_out: Sequence[str]) -> Arrays:
        chosen = {
            collection: {name: each for name, each in modules.items() if name not in left_out}
            for collection, modules in (("params", state.params), ("batch_stats", state.batch_stats))
        }
        serialization.to_bytes(chosen)
        return _named(chosen)


class NnxNetwork(nnx.Module):
    """The same of flax nnx."""

    def __init__(self, plan: Plan, rngs: nnx.Rngs) -> None:
        self._plan, dtype = plan, jnp.dtype(plan.dtype)
        for index, block in enumerate(plan.blocks):
            linear, norm = modules(index)
            setattr(self, linear, nnx.Linear(WIDTH, WIDTH, dtype=dtype, param_dtype=dtype, rngs=rngs))
            if block.norm == "batch":
                averaged = not gathers(plan, index)
                made = nnx.BatchNorm(
                    WIDTH, use_running_average=averaged, momentum=FOLLOWS, dtype=dtype, param_dtype=dtype, rngs=rngs
                )
                setattr(self, norm, made)
            elif block.norm == "layer":
                setattr(self, norm, nnx.LayerNorm(WIDTH, dtype=dtype, param_dtype=dtype, rngs=rngs))
        self.head = nnx.Linear(WIDTH, 2, dtype=dtype, param_dtype=dtype, rngs=rngs)

    def __call__(self, values: Any) -> Any:
        for index, block in enumerate(self._plan.blocks):
            for name in modules(index)[: 1 if block.norm == "none" else 2]:
                values = getattr(self, name)(values)
            values = activated(self._plan, index, values)
        return self.head(values)


class Nnx(Training):
    """A network of flax nnx, of which the ``wrt`` of the optimizer leaves out what is frozen; compiled or eagerly."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.state = NnxNetwork(plan, nnx.Rngs(plan.seed + 1))
        frozen = frozen_modules(plan)

        def trained(path: Sequence[Any], value: Any) -> bool:
            return isinstance(value, nnx.Param) and path[0] not in frozen

        self._optimizer = nnx.Optimizer(self.state, of_trained(plan), wrt=trained)

        def train_step(model: NnxNetwork, optimizer: Any, batch: Any) -> None:
            by = nnx.DiffState(0, trained)
            gradients = nnx.grad(lambda model: loss_of(plan, model(batch)), argnums=by)(model)
            optimizer.update(model, gradients)

        self._step = train_step if plan.seed % 2 else nnx.jit(train_step)

    def step(self) -> None:
        self._step(self.state, self._optimizer, self.batch())

    def put(self, block: int, change: Any) -> None:
        kernel = getattr(self.state, modules(block)[0]).kernel
        kernel.set_value(change(kernel.get_value()))

    def copied(self) -> Any:
        return nnx.clone(self.state)

    def arrays(self, state: NnxNetwork) -> Arrays:
        return _named(nnx.to_pure_dict(nnx.state(state, (nnx.Param, nnx.BatchStat))))

    def write_file(self, state: NnxNetwork, left_out: Sequence[str]) -> Arrays:
        whole = nnx.to_pure_dict(nnx.state(state, (nnx.Param, nnx.BatchStat)))
        chosen = {name: each for name, each in whole.items() if name not in left_out}
        serialization.to_bytes(chosen)
        return _named(chosen)


class EquinoxNetwork(eqx.Module):
    """The same of equinox, without running statistics."""

    parts: dict[str, eqx.Module]
    plan: Plan = eqx.field(static=True)

    def __call__(self, values: Any) -> Any:
        for index, block in enumerate(self.plan.blocks):
            for name in modules(index)[: 1 if block.norm == "none" else 2]:
                values = self.parts[name](values)  # type: ignore[operator]
            values = activated(self.plan, index, values)
        return self.parts["head"](values)  # type: ignore[operator]


class Equinox(Training):
    """A network of equinox, of which a filter leaves out what is frozen."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        keys, dtype = jax.random.split(jax.random.key(plan.seed + 1), len(plan.blocks) + 1), jnp.dtype(plan.dtype)
        parts: dict[str, eqx.Module] = {"head": eqx.nn.Linear(WIDTH, 2, dtype=dtype, key=keys[-1])}
        for index, block in enumerate(plan.blocks):
            linear, norm = modules(index)
            parts[linear] = eqx.nn.Linear(WIDTH, WIDTH, dtype=dtype, key=keys[index])
            if block.norm != "none":
                parts[norm] = eqx.nn.LayerNorm(WIDTH, dtype=dtype)
        self.state = EquinoxNetwork(parts, plan)
        frozen = frozen_modules(plan)
        spec = jax.tree_util.tree_map_with_path(
            lambda path, each: eqx.is_inexact_array(each) and path[1].key not in frozen, self.state
        )
        optimizer = of_trained(plan)
        self._moments = optimizer.init(eqx.filter(self.state, spec))

        def train_step(model: EquinoxNetwork, moments: Any, batch: Any) -> tuple[EquinoxNetwork, Any]:
            trained, fixed = eqx.partition(model, spec)

            def loss(trained: Any) -> Any:
                return loss_of(plan, jax.vmap(eqx.combine(trained, fixed))(batch))

            gradients = eqx.filter_grad(loss)(trained)
            updates, moments = optimizer.update(gradients, moments, trained)
            return eqx.apply_updates(model, updates), moments

        donate = "all-except-first" if plan.seed % 2 else "none"
        self._step = eqx.filter_jit(train_step, donate=donate)  # type: ignore[call-overload]

    def step(self) -> None:
        former = self.state.parts
        self.state, self._moments = self._step(self.state, self._moments, self.batch())
        kept = {name: former[name] for name in self.dropped if name in former}
        if kept:
            self.state = EquinoxNetwork(self.state.parts | kept, self.plan)

    def put(self, block: int, change: Any) -> None:
        linear, _ = modules(block)
        self.state = eqx.tree_at(lambda network: network.parts[linear].weight, self.state, replace_fn=change)

    def arrays(self, state: EquinoxNetwork) -> Arrays:
        return {f"parts.{name}": each for name, each in _of_parts(state.parts).items()}

    def write_file(self, state: EquinoxNetwork, left_out: Sequence[str]) -> Arrays:
        chosen = EquinoxNetwork({name: each for name, each in state.parts.items() if name not in left_out}, self.plan)
        eqx.tree_serialise_leaves(io.BytesIO(), chosen)
        return self.arrays(chosen)


def _of_parts(parts: dict[str, Any]) -> Arrays:
    return {
        f"{name}.{what}": getattr(part, what)
        for name, part in parts.items()
        for what in ("weight", "bias")
        if getattr(part, what) is not None
    }


def _named(tree: Any) -> Arrays:
    return {".".join(key.key for key in path): each for path, each in jax.tree_util.tree_leaves_with_path(tree)}
