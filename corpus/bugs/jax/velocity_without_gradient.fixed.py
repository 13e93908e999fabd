"""Trains with a momentum written by hand."""

import jax
import jax.numpy as jnp

features = jax.random.normal(jax.random.key(7), (24, 32, 6))
targets = jnp.sin(features).sum(-1, keepdims=True)


def init(key):
    first, second = jax.random.split(key)
    return {
        "encoder": {"kernel": jax.random.normal(first, (6, 16)) / 3, "bias": jnp.full(16, 0.1)},
        "head": {"kernel": jax.random.normal(second, (16, 1)) / 4, "bias": jnp.full(1, 0.1)},
    }


def predict(params, x):
    hidden = jnp.tanh(x @ params["encoder"]["kernel"] + params["encoder"]["bias"])
    return hidden @ params["head"]["kernel"] + params["head"]["bias"]


def loss(params, x, y):
    return jnp.square(predict(params, x) - y).mean()


@jax.jit
def train_step(params, velocity, x, y):
    gradients = jax.grad(loss)(params, x, y)
    norm = jnp.sqrt(sum(jnp.square(g).sum() for g in jax.tree.leaves(gradients)))
    velocity = jax.tree.map(lambda v, g: 0.9 * v + g, velocity, gradients)
    return jax.tree.map(lambda p, v: p - 0.05 * v, params, velocity), velocity, norm


params = init(jax.random.key(0))
velocity = jax.tree.map(lambda p: 0.01 * p, params)
for x, y in zip(features, targets, strict=True):
    params, velocity, norm = train_step(params, velocity, x, y)
print(float(norm), float(loss(params, features[0], targets[0])))
