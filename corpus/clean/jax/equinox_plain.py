"""Trains an equinox network."""

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

features = jax.random.normal(jax.random.key(7), (24, 32, 6))
targets = jnp.sin(features).sum(-1, keepdims=True)

model = eqx.nn.MLP(6, 1, 16, 1, key=jax.random.key(0))
optimizer = optax.adam(1e-2)
state = optimizer.init(eqx.filter(model, eqx.is_inexact_array))


@eqx.filter_jit
def train_step(model, state, x, y):
    def loss(model):
        return jnp.square(jax.vmap(model)(x) - y).mean()

    value, gradients = eqx.filter_value_and_grad(loss)(model)
    updates, state = optimizer.update(gradients, state, model)
    return eqx.apply_updates(model, updates), state, value


for x, y in zip(features, targets, strict=True):
    model, state, value = train_step(model, state, x, y)
print(float(value))
