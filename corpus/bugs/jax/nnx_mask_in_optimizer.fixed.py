"""Trains the head of an nnx network by a mask."""

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


def mask(params):
    return jax.tree_util.tree_map_with_path(lambda path, _: "head" in jax.tree_util.keystr(path), params)


model = Network(nnx.Rngs(0))
optimizer = nnx.Optimizer(
    model,
    optax.chain(
        optax.adam(1e-2),
        optax.masked(optax.set_to_zero(), lambda params: jax.tree.map(lambda each: not each, mask(params))),
    ),
    wrt=nnx.Param,
)


@nnx.jit
def train_step(model, optimizer, x, y):
    optimizer.update(model, nnx.grad(loss)(model, x, y))


for x, y in zip(features, targets, strict=True):
    train_step(model, optimizer, x, y)
print(float(loss(model, features[0], targets[0])))
