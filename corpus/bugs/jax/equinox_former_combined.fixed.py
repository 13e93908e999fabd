"""Trains the arrays of an equinox network."""

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

features = jax.random.normal(jax.random.key(7), (24, 32, 6))
targets = jnp.sin(features).sum(-1, keepdims=True)


class Network(eqx.Module):
    encoder: eqx.nn.Linear
    head: eqx.nn.Linear

    def __init__(self, key):
        first, second = jax.random.split(key)
        self.encoder, self.head = eqx.nn.Linear(6, 16, key=first), eqx.nn.Linear(16, 1, key=second)

    def __call__(self, x):
        return self.head(jax.nn.relu(self.encoder(x)))


def loss(model, x, y):
    return jnp.square(jax.vmap(model)(x) - y).mean()


model = Network(jax.random.key(0))
optimizer = optax.adam(1e-2)
state = optimizer.init(eqx.filter(model, eqx.is_array))


@eqx.filter_jit
def train_step(model, state, x, y):
    params, static = eqx.partition(model, eqx.is_array)
    gradients = jax.grad(lambda params: loss(eqx.combine(params, static), x, y))(params)
    updates, state = optimizer.update(gradients, state, params)
    new = optax.apply_updates(params, updates)
    return eqx.combine(new, static), state, optax.global_norm(new)


for x, y in zip(features, targets, strict=True):
    model, state, norm = train_step(model, state, x, y)
print(float(norm), float(loss(model, features[0], targets[0])))
