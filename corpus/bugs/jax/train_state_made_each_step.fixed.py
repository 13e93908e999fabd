"""Trains with a TrainState."""

import jax
import jax.numpy as jnp
import optax
from flax.training.train_state import TrainState

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
def train_step(state, x, y):
    return state.apply_gradients(grads=jax.grad(loss)(state.params, x, y))


state = TrainState.create(apply_fn=predict, params=init(jax.random.key(0)), tx=optax.adam(1e-2))
for x, y in zip(features, targets, strict=True):
    state = train_step(state, x, y)
print(float(loss(state.params, features[0], targets[0])))
