"""A network of flax whose backbone is frozen by labels, with one name misspelled."""

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn


class Net(nn.Module):
    @nn.compact
    def __call__(self, inputs):
        hidden = nn.relu(nn.Dense(32, name="backbone")(inputs))
        return nn.Dense(2, name="head")(hidden)


net = Net()
key = jax.random.key(0)
inputs, labels = jax.random.normal(key, (32, 16)), jnp.zeros(32, int)
params = net.init(key, inputs)["params"]
kinds = {name: "frozen" if name == "backbon" else "trained" for name in params}
labelled = {name: jax.tree.map(lambda _, kind=kind: kind, params[name]) for name, kind in kinds.items()}
optimizer = optax.multi_transform({"trained": optax.adam(1e-3), "frozen": optax.set_to_zero()}, labelled)
state = optimizer.init(params)


@jax.jit
def step(params, state):
    def loss_of(params):
        return optax.softmax_cross_entropy_with_integer_labels(net.apply({"params": params}, inputs), labels).mean()

    slopes = jax.grad(loss_of)(params)
    updates, state = optimizer.update(slopes, state, params)
    return optax.apply_updates(params, updates), state


for _ in range(12):
    params, state = step(params, state)
