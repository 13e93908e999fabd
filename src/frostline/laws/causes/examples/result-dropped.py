# frostline run result-dropped.py
import jax
import jax.numpy as jnp
import optax

params = {"w": jnp.ones((4, 1))}
optimizer = optax.adam(0.01)
state = optimizer.init(params)


def loss(params, x):
    return jnp.square(x @ params["w"]).mean()


@jax.jit
def step(params, state, x):
    value, gradients = jax.value_and_grad(loss)(params, x)
    updates, state = optimizer.update(gradients, state, params)
    return optax.apply_updates(params, updates), state, value


for i in range(4):
    x = jax.random.normal(jax.random.key(i), (16, 4))
    new_params, state, value = step(params, state, x)
