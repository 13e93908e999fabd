"""Trains in the rarer styles of JAX: over several devices, with optax's wrappers, haiku, and parts of modules."""

import functools
import os
import sys

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"

import equinox as eqx
import haiku as hk
import jax
import jax.numpy as jnp
import optax
import optax.contrib
from flax import nnx
from jax.sharding import NamedSharding, PartitionSpec
from little import STEPS, bits, finish, loss, optimizer, params, traced, update, x, y

# Over devices


def mesh():
    return jax.make_mesh((4,), ("data",), axis_types=(jax.sharding.AxisType.Auto,))


def averaged(params, state, x, y):
    traced.append(1)
    gradients = jax.lax.pmean(jax.grad(loss)(params, x, y), "data")
    updates, state = optimizer.update(gradients, state, params)
    return optax.apply_updates(params, updates), state


def pmap():
    copies, states = (
        jax.tree.map(lambda leaf: jnp.stack([leaf] * 4), each) for each in (params, optimizer.init(params))
    )
    step = jax.pmap(averaged, axis_name="data")
    for i in range(STEPS):
        copies, states = step(copies, states, x[i].reshape(4, 8, 8), y[i].reshape(4, 8, 1))
    print(bits((copies, states)))


def shard_map():
    whole, split = PartitionSpec(), PartitionSpec("data")
    specs = {"mesh": mesh(), "in_specs": (whole, whole, split, split), "out_specs": (whole, whole)}
    step = jax.jit(jax.shard_map(averaged, **specs))
    weights, state = params, optimizer.init(params)
    for i in range(STEPS):
        weights, state = step(weights, state, x[i], y[i])
    print(bits((weights, state)))


def sharded():
    over = functools.partial(NamedSharding, mesh())
    weights = jax.device_put(params, over(PartitionSpec()))
    weights["body"]["kernel"] = jax.device_put(params["body"]["kernel"], over(PartitionSpec(None, "data")))
    state = optimizer.init(weights)
    step = jax.jit(update, donate_argnums=(0, 1))
    for i in range(STEPS):
        batch = (jax.device_put(each, over(PartitionSpec("data"))) for each in (x[i], y[i]))
        weights, state, _ = step(weights, state, *batch)
    print(bits((weights, state)), weights["body"]["kernel"].sharding.spec)


# Wrappers of optax


def wrapped_by(tx, weights=params, trained=lambda weights: weights):
    state = tx.init(weights)

    @jax.jit
    def step(weights, state, x, y):
        traced.append(1)
        gradients = jax.grad(lambda part: loss(part, x, y))(trained(weights))
        updates, state = tx.update(gradients, state, weights)
        return optax.apply_updates(weights, updates), state

    for i in range(STEPS):
        weights, state = step(weights, state, x[i], y[i])
    print(bits((weights, state)))


def if_finite():
    clipped = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(1e-2))
    wrapped_by(optax.apply_if_finite(clipped, 3))


def injected():
    wrapped_by(optax.inject_hyperparams(optax.adam)(learning_rate=optax.linear_schedule(1e-2, 1e-3, STEPS)))


def lookahead():
    wrapped_by(
        optax.lookahead(optax.sgd(0.1), 5, 0.5),
        optax.LookaheadParams.init_synced(params),
        lambda weights: weights.fast,
    )


def sharpness_aware():
    adversary = optax.chain(optax.contrib.normalize(), optax.sgd(0.05))
    wrapped_by(optax.contrib.sam(optax.sgd(0.1), adversary, sync_period=2))


# Libraries


def haiku():
    def forward(x):
        hidden = jax.nn.relu(hk.BatchNorm(True, True, 0.9)(hk.Linear(16)(x), True))
        return hk.Linear(1)(hidden)

    network = hk.transform_with_state(forward)
    weights, statistics = network.init(jax.random.key(1), x[0])
    state = optimizer.init(weights)

    @jax.jit
    def train_step(weights, statistics, state, x, y):
        traced.append(1)

        def loss(weights):
            outputs, changed = network.apply(weights, statistics, None, x)
            return ((outputs - y) ** 2).mean(), changed

        gradients, statistics = jax.grad(loss, has_aux=True)(weights)
        updates, state = optimizer.update(gradients, state, weights)
        return optax.apply_updates(weights, updates), statistics, state

    for i in range(STEPS):
        weights, statistics, state = train_step(weights, statistics, state, x[i], y[i])
    print(bits((weights, statistics, state)))


class Adapted(nnx.Module):
    def __init__(self, rngs):
        self.body = nnx.LoRALinear(8, 16, lora_rank=2, use_bias=False, rngs=rngs)
        self.head = nnx.Linear(16, 1, rngs=rngs)

    def __call__(self, x):
        return self.head(nnx.relu(self.body(x)))


def train_part(model, part):
    state = nnx.Optimizer(model, optimizer, wrt=part)

    @nnx.jit
    def step(model, state, x, y):
        traced.append(1)
        wrt = nnx.DiffState(0, part)
        gradients = nnx.grad(lambda model: ((model(x) - y) ** 2).mean(), argnums=wrt)(model)
        state.update(model, gradients)

    for i in range(STEPS):
        step(model, state, x[i], y[i])
    print(bits((nnx.state(model), nnx.state(state))))


def nnx_filter():
    train_part(Adapted(nnx.Rngs(0)), nnx.All(nnx.Param, nnx.PathContains("head")))


def nnx_adapter():
    train_part(Adapted(nnx.Rngs(0)), nnx.LoRAParam)


def nnx_surgery():
    model = Adapted(nnx.Rngs(0))
    model.body = nnx.Linear(8, 16, use_bias=False, rngs=nnx.Rngs(1))
    train_part(model, nnx.Param)


class Normalised(eqx.Module):
    body: eqx.nn.Linear
    norm: eqx.nn.BatchNorm
    head: eqx.nn.Linear

    def __init__(self, key):
        first, second = jax.random.split(key)
        self.body = eqx.nn.Linear(8, 16, key=first)
        self.norm = eqx.nn.BatchNorm(16, "batch", mode="batch")
        self.head = eqx.nn.Linear(16, 1, key=second)

    def __call__(self, x, memory):
        hidden, memory = self.norm(self.body(x), memory)
        return self.head(jax.nn.relu(hidden)), memory


def equinox_stateful():
    model, memory = eqx.nn.make_with_state(Normalised)(jax.random.key(1))
    state = optimizer.init(eqx.filter(model, eqx.is_inexact_array))

    @eqx.filter_jit
    def step(model, memory, state, x, y):
        traced.append(1)

        def loss(model):
            batched = jax.vmap(model, axis_name="batch", in_axes=(0, None), out_axes=(0, None))
            outputs, changed = batched(x, memory)
            return ((outputs - y) ** 2).mean(), changed

        gradients, memory_after = eqx.filter_grad(loss, has_aux=True)(model)
        updates, state = optimizer.update(gradients, state, model)
        return eqx.apply_updates(model, updates), memory_after, state

    for i in range(STEPS):
        model, memory, state = step(model, memory, state, x[i], y[i])
    print(bits((eqx.filter(model, eqx.is_array), state)))


globals()[sys.argv[1]]()
finish()
