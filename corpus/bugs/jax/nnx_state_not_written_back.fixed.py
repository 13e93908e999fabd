"""Trains the state of an nnx network in a step of jax.jit."""

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


model = Network(nnx.Rngs(0))
optimizer = optax.adam(1e-2)
graph, params = nnx.split(model)
state = optimizer.init(params)


@jax.jit
def train_step(params, state, x, y):
    gradients = jax.grad(lambda params: loss(nnx.merge(graph, params), x, y))(params)
    updates, state = optimizer.update(gradients, state, params)
    params = optax.apply_updates(params, updates)
    return params, state


for x, y in zip(features, targets, strict=True):
    new, state = train_step(nnx.state(model), state, x, y)
    nnx.update(model, new)
print(float(loss(model, features[0], targets[0])))
