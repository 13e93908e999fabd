"""Trains two layers by gradients that jax.vjp pulls back, in one of several ways."""

import sys

import jax
import jax.numpy as jnp
import optax

WAY, BUG = sys.argv[1], sys.argv[2:] == ["bug"]
key = jax.random.key(0)
params = {
    "body": {"kernel": jax.random.normal(key, (6, 8)) / 3, "bias": jnp.full(8, 0.1)},
    "head": {"kernel": jax.random.normal(key, (8, 1)) / 3},
}
features = jax.random.normal(key, (12, 16, 6))


def loss(params, x):
    hidden = jnp.tanh(x @ params["body"]["kernel"] + params["body"]["bias"])
    return jnp.square(hidden @ params["head"]["kernel"] - 1).mean()


def gradients_of(params, x):
    value, pull_back = jax.vjp(loss, params, x)
    gradients, of_data = pull_back(jnp.ones_like(value))
    return gradients, of_data


def descend(params, gradients):
    new = jax.tree.map(lambda weight, slope: weight - 0.1 * slope, params, gradients)
    return {**new, "head": params["head"]} if BUG else new  # the bug: the head's gradient goes nowhere


def train_step(params, x):
    return descend(params, gradients_of(params, x)[0])


def evolve(params, x):
    noise = jax.tree.map(lambda weight: 0.1 * jnp.cos(x.sum() + weight), params)
    better = loss(jax.tree.map(jnp.add, params, noise), x) < loss(params, x)
    changes = jax.tree.map(lambda change: jnp.where(better, change, 0), noise)
    return optax.apply_updates(params, changes) if WAY.endswith("applied") else jax.tree.map(jnp.add, params, changes)


if WAY == "compiled":
    step = jax.jit(train_step)
elif WAY == "plain":
    step = train_step
elif WAY == "gradients":
    given = jax.jit(gradients_of)
    step = lambda params, x: descend(params, given(params, x)[0])  # noqa: E731
else:
    step = jax.jit(evolve) if WAY.startswith("compiled") else evolve
for x in features:
    params = step(params, x)
print(float(loss(params, features[0])).hex())
