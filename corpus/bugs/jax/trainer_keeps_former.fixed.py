"""Trains by a class that compiles its own method."""

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


optimizer = optax.adam(1e-2)


class Trainer:
    def __init__(self):
        self.params = init(jax.random.key(0))
        self.state = optimizer.init(self.params)
        self.step = jax.jit(self._step)

    def _step(self, params, state, x, y):
        gradients = jax.grad(loss)(params, x, y)
        updates, state = optimizer.update(gradients, state, params)
        return optax.apply_updates(params, updates), state

    def fit(self):
        for x, y in zip(features, targets, strict=True):
            self.params, self.state = self.step(self.params, self.state, x, y)


trainer = Trainer()
trainer.fit()
print(float(loss(trainer.params, features[0], targets[0])))
