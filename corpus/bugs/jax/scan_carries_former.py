"""Trains an epoch inside one compiled scan."""

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


def body(carry, batch):
    params, state = carry
    value, gradients = jax.value_and_grad(loss)(params, *batch)
    updates, state = optimizer.update(gradients, state, params)
    updated = optax.apply_updates(params, updates)
    return (params, state), (value, optax.global_norm(updated))


@jax.jit
def epoch(params, state, features, targets):
    return jax.lax.scan(body, (params, state), (features, targets))


params = init(jax.random.key(0))
state = optimizer.init(params)
for _ in range(20):
    (params, state), (values, norms) = epoch(params, state, features, targets)
print(float(values[-1]), float(norms[-1]))
