"""Donates its weights; names for them that are left over are not used for their values."""

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


optimizer = optax.adam(1e-2)
evaluate = jax.jit(loss)


@functools.partial(jax.jit, donate_argnums=(0, 1))
def train_step(params, state, x, y):
    value, gradients = jax.value_and_grad(loss)(params, x, y)
    updates, state = optimizer.update(gradients, state, params)
    return optax.apply_updates(params, updates), state, value


class Training:
    def __init__(self, params):
        self.params, self.state = params, optimizer.init(params)

    def step(self, x, y):
        self.params, self.state, value = train_step(self.params, self.state, x, y)
        return value


params = init(jax.random.key(0))
training = Training(params)
for x, y in zip(features, targets, strict=True):
    former = training.params
    value = training.step(x, y)
sizes = {name: leaf.shape for name, leaf in former["head"].items()}
print(float(value), sizes, float(evaluate(training.params, features[0], targets[0])))
