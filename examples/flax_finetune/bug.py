"""Fine-tuning in flax: the encoder is to stay as it is, a head is trained on it, and optax gets a mask."""

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn


class Model(nn.Module):
    @nn.compact
    def __call__(self, inputs):
        return nn.Dense(2, name="head")(nn.relu(nn.Dense(16, name="encoder")(inputs)))


model = Model()
inputs = jax.random.normal(jax.random.key(0), (32, 8))
labels = (inputs.sum(1) > 0).astype(jnp.int32)
params = model.init(jax.random.key(1), inputs)["params"]
trains = {"encoder": False, "head": True}
optimizer = optax.masked(optax.adam(1e-2), trains)
state = optimizer.init(params)


@jax.jit
def step(params, state):
    def loss(params):
        logits = model.apply({"params": params}, inputs)
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()

    value, gradients = jax.value_and_grad(loss)(params)
    updates, state = optimizer.update(gradients, state, params)
    return optax.apply_updates(params, updates), state, value


for _ in range(8):
    params, state, value = step(params, state)
print(f"loss {value:.3f}")
