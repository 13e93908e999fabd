"""Learns values with a target network that is set now and then."""

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


@jax.jit
def train_step(params, target, state, x, y):
    def bootstrap(params):
        return jnp.square(predict(params, x) - (y + 0.5 * predict(target, x))).mean()

    value, gradients = jax.value_and_grad(bootstrap)(params)
    updates, state = optimizer.update(gradients, state, params)
    return optax.apply_updates(params, updates), state, value


params = init(jax.random.key(0))
target = params
state = optimizer.init(params)
for index, (x, y) in enumerate(zip(features, targets, strict=True)):
    params, state, value = train_step(params, target, state, x, y)
    if index % 8 == 7:
        target = params
print(float(value))
