"""Trains a linen network with a TrainState."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from flax.training.train_state import TrainState

features = jax.random.normal(jax.random.key(7), (24, 32, 6))
targets = jnp.sin(features).sum(-1, keepdims=True)


class Network(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Dense(16, name="encoder")(x))
        return nn.Dense(1, name="head")(x)


optimizer = optax.adam(1e-2)


@jax.jit
def train_step(state, x, y):
    def loss(params):
        return jnp.square(state.apply_fn({"params": params}, x) - y).mean()

    value, gradients = jax.value_and_grad(loss)(state.params)
    state = state.apply_gradients(grads=gradients)
    return state, value


model = Network()
params = model.init(jax.random.key(0), features[0])["params"]
state = TrainState.create(apply_fn=model.apply, params=params, tx=optimizer)
for x, y in zip(features, targets, strict=True):
    state, value = train_step(state, x, y)
print(float(value))
