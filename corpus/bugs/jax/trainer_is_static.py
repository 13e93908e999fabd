"""Trains by a class with a compiled method."""

import functools

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


class Trainer:
    def __init__(self, key):
        self.params = init(key)
        self.optimizer = optax.sgd(0.05, momentum=0.9)
        self.state = self.optimizer.init(self.params)

    @functools.partial(jax.jit, static_argnums=0)
    def step(self, state, x, y):
        value, gradients = jax.value_and_grad(loss)(self.params, x, y)
        updates, state = self.optimizer.update(gradients, state, self.params)
        return optax.apply_updates(self.params, updates), state, value

    def fit(self):
        for x, y in zip(features, targets, strict=True):
            self.params, self.state, value = self.step(self.state, x, y)
        return value


print(float(Trainer(jax.random.key(0)).fit()))
