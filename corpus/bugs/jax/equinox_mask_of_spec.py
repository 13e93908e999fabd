"""Trains the head of an equinox network by a mask."""

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
spec = eqx.tree_at(
    lambda tree: tree.head,
    jax.tree.map(lambda _: False, eqx.filter(model, eqx.is_array)),
    jax.tree.map(lambda _: True, eqx.filter(model.head, eqx.is_array)),
)
optimizer = optax.masked(optax.adamw(1e-2), spec)
state = optimizer.init(eqx.filter(model, eqx.is_array))


@eqx.filter_jit
def train_step(model, state, x, y):
    gradients = eqx.filter_grad(loss)(model, x, y)
    updates, state = optimizer.update(gradients, state, eqx.filter(model, eqx.is_array))
    return eqx.apply_updates(model, updates), state


for x, y in zip(features, targets, strict=True):
    model, state = train_step(model, state, x, y)
print(float(loss(model, features[0], targets[0])))
