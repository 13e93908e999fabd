"""Trains the head of a small network on two batches for each update."""

import jax
import jax.numpy as jnp
import optax

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


optimizer = optax.MultiSteps(optax.masked(optax.adam(1e-2), {"encoder": False, "head": True}), 2)


@jax.jit
def train_step(params, state, x, y):
    gradients = jax.grad(loss)(params, x, y)
    updates, state = optimizer.update(gradients, state, params)
    return optax.apply_updates(params, updates), state


params = init(jax.random.key(0))
state = optimizer.init(params)
for x, y in zip(features, targets, strict=True):
    params, state = train_step(params, state, x, y)
print(float(loss(params, features[0], targets[0])))
