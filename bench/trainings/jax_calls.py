"""Processor time of a call of train steps that are no checks, the least of many, as JSON; past step 2,048."""

import json
import time

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from flax import nnx

SKIPPED, ROUNDS, CALLS = 2100, 150, 10  # the next check is at 4,096


def least(call):
    for _ in range(SKIPPED):
        call()
    rounds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(CALLS):
            call()
        rounds.append((time.process_time() - started) / CALLS)
    return min(rounds)


def plain(count):
    params, x = {f"weight{i}": jnp.ones(4) for i in range(count)}, jnp.float32(1)

    @jax.jit
    def step(params, x):
        gradients = jax.grad(lambda params: sum((leaf * x).sum() for leaf in params.values()))(params)
        return jax.tree.map(lambda leaf, gradient: leaf - 0.001 * gradient, params, gradients)

    def call():
        nonlocal params
        params = step(params, x)

    return call


class Net(nnx.Module):
    def __init__(self, rngs):
        self.layers = nnx.List([nnx.Linear(16, 16, rngs=rngs) for _ in range(5)])

    def __call__(self, x):
        for layer in self.layers:
            x = nnx.relu(layer(x))
        return x


def of_nnx():
    model, x = Net(nnx.Rngs(0)), jnp.ones((32, 16))
    optimizer = nnx.Optimizer(model, optax.adam(1e-3), wrt=nnx.Param)

    @nnx.jit
    def step(model, optimizer, x):
        optimizer.update(model, nnx.grad(lambda model: jnp.square(model(x)).mean())(model))

    return lambda: step(model, optimizer, x)


def of_equinox():
    model, x = eqx.nn.MLP(16, 16, 16, 4, key=jax.random.key(0)), jnp.ones((32, 16))
    optimizer = optax.adam(1e-3)
    state = optimizer.init(eqx.filter(model, eqx.is_inexact_array))

    @eqx.filter_jit
    def step(model, state, x):
        gradients = eqx.filter_grad(lambda model: jnp.square(jax.vmap(model)(x)).mean())(model)
        updates, state = optimizer.update(gradients, state, model)
        return eqx.apply_updates(model, updates), state

    def call():
        nonlocal model, state
        model, state = step(model, state, x)

    return call


calls = {"jit, 4 weights": plain(4), "jit, 100 weights": plain(100), "nnx": of_nnx(), "equinox": of_equinox()}
print(json.dumps({name: least(call) for name, call in calls.items()}))
