"""Trains an nnx network with a filter for adapters."""

import jax
import jax.numpy as jnp
import optax
from flax import nnx

features = jax.random.normal(jax.random.key(7), (24, 32, 6))
targets = jnp.sin(features).sum(-1, keepdims=True)


class Network(nnx.Module):
    def __init__(self, rngs):
        self.encoder = nnx.Linear(6, 16, rngs=rngs)
        self.head = nnx.Linear(16, 1, rngs=rngs)

    def __call__(self, x):
        return self.head(nnx.relu(self.encoder(x)))


def loss(model, x, y):
    return jnp.square(model(x) - y).mean()


chosen = nnx.Param


@nnx.jit
def train_step(model, optimizer, x, y):
    value, gradients = nnx.value_and_grad(loss, argnums=nnx.DiffState(0, chosen))(model, x, y)
    optimizer.update(model, gradients)
    return value


model = Network(nnx.Rngs(0))
optimizer = nnx.Optimizer(model, optax.adam(1e-2), wrt=chosen)

for x, y in zip(features, targets, strict=True):
    value = train_step(model, optimizer, x, y)
print(float(value))
