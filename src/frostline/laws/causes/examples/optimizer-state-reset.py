# frostline run optimizer-state-reset.py
import jax
import jax.numpy as jnp
import optax

params = {"w": jnp.ones((4, 1))}
optimizer = optax.adam(0.01)


def loss(params, x):
    return jnp.square(x @ params["w"]).mean()


@jax.jit
def step(params, state, x):
    gradients = jax.grad(loss)(params, x)
    updates, state = optimizer.update(gradients, state, params)
    return optax.apply_updates(params, updates), state


for i in range(8):
    x = jax.random.normal(jax.random.key(i), (16, 4))
    state = optimizer.init(params)
    params, state = step(params, state, x)
