"""Trains the last layer of an equinox network."""

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

features = jax.random.normal(jax.random.key(7), (24, 32, 6))
targets = jnp.sin(features).sum(-1, keepdims=True)

model = eqx.nn.MLP(6, 1, 16, 1, key=jax.random.key(0))
optimizer = optax.adam(1e-2)
chosen = jax.tree.map(lambda _: False, model)
chosen = eqx.tree_at(lambda tree: (tree.layers[-1].weight, tree.layers[-1].bias), chosen, (True, True))
trained, fixed = eqx.partition(model, chosen)
state = optimizer.init(trained)


@eqx.filter_jit
def train_step(trained, fixed, state, x, y):
    def loss(trained):
        return jnp.square(jax.vmap(eqx.combine(trained, fixed))(x) - y).mean()

    value, gradients = eqx.filter_value_and_grad(loss)(trained)
    updates, state = optimizer.update(gradients, state, trained)
    return eqx.apply_updates(trained, updates), state, value


for x, y in zip(features, targets, strict=True):
    trained, state, value = train_step(trained, fixed, state, x, y)
print(float(value))
