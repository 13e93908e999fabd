"""flax: a label function with a name that no module has."""

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn


class Net(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.Dense(2, name="head")(nn.relu(nn.Dense(16, name="backbone")(x)))


model = Net()
x = jax.random.normal(jax.random.key(0), (32, 8))
y = jnp.zeros(32, int)
params = model.init(jax.random.key(1), x)["params"]


def label(params):  # W409 labelled
    return {name: "frozen" if name == "backbon" else "train" for name in params}


transforms = {"train": optax.adam(1e-2), "frozen": optax.set_to_zero()}
tx = optax.multi_transform(transforms, label)  # W409 optimizer
state = tx.init(params)


def loss(params):
    return optax.softmax_cross_entropy_with_integer_labels(model.apply({"params": params}, x), y).mean()


@jax.jit  # W409 compiled
def train_step(params, state):
    grads = jax.grad(loss)(params)
    updates, state = tx.update(grads, state, params)
    return optax.apply_updates(params, updates), state


for _ in range(10):
    params, state = train_step(params, state)  # W409 step
