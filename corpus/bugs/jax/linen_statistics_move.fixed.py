"""Fine-tunes the head of a linen network with batch normalisation."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from flax.training.train_state import TrainState

features = jax.random.normal(jax.random.key(7), (24, 32, 6))
targets = jnp.sin(features).sum(-1, keepdims=True)


class Network(nn.Module):
    @nn.compact
    def __call__(self, x, train):
        x = nn.Dense(16, name="stem")(x)
        x = nn.relu(nn.BatchNorm(use_running_average=not train, name="norm")(x))
        return nn.Dense(1, name="head")(x)


class State(TrainState):
    batch_stats: dict


def label(params):
    return {name: "train" if name == "head" else "keep" for name in params}


@jax.jit
def train_step(state, x, y):
    def loss(params):
        variables = {"params": params, "batch_stats": state.batch_stats}
        output, changed = state.apply_fn(variables, x, False, mutable=["batch_stats"])
        return jnp.square(output - y).mean(), changed["batch_stats"]

    (value, statistics), gradients = jax.value_and_grad(loss, has_aux=True)(state.params)
    return state.apply_gradients(grads=gradients, batch_stats=statistics), value


model = Network()
variables = model.init(jax.random.key(0), features[0], False)
optimizer = optax.multi_transform({"train": optax.adam(1e-2), "keep": optax.set_to_zero()}, label)
state = State.create(apply_fn=model.apply, tx=optimizer, **variables)
for x, y in zip(features, targets, strict=True):
    state, value = train_step(state, x, y)
print(float(value))
