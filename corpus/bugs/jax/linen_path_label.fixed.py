"""Fine-tunes a linen network; labels are made from paths."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from flax.training.train_state import TrainState
from flax.traverse_util import flatten_dict, unflatten_dict

features = jax.random.normal(jax.random.key(7), (24, 32, 6))
targets = jnp.sin(features).sum(-1, keepdims=True)


class Network(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Dense(16, name="encoder")(x))
        return nn.Dense(1, name="head")(x)


def label(params):
    flat = flatten_dict(params)
    return unflatten_dict({path: "keep" if path[0] == "encoder" else "train" for path in flat})


optimizer = optax.multi_transform({"train": optax.adam(1e-2), "keep": optax.set_to_zero()}, label)


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
