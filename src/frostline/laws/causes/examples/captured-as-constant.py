# frostline run captured-as-constant.py
import jax
import jax.numpy as jnp
import optax

params = {"w": jnp.ones((4, 1))}
optimizer = optax.adam(0.01)
state = optimizer.init(params)


def loss(params, x):
    return jnp.square(x @ params["w"]).mean()


@jax.jit
def step(state, x):
    # these are the weights of the time at which the step was compiled
    gradients = jax.grad(loss)(params, x)
    updates, state = optimizer.update(gradients, state, params)
    return optax.apply_updates(params, updates), state


for i in range(4):
    x = jax.random.normal(jax.random.key(i), (16, 4))
    params, state = step(state, x)
