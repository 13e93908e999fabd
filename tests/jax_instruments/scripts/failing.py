"""A compiled step that raises now and then: while it is traced, and for what it is handed."""

import jax
import jax.numpy as jnp
import optax

optimizer = optax.sgd(0.1)
params = {"w": jnp.ones(4)}
state = optimizer.init(params)
made = 0


@jax.jit
def step(params, state, x):
    if x.shape == (3,):
        raise ValueError("the script's own")
    gradients = jax.grad(lambda params: jnp.square(params["w"] * x).sum())(params)
    updates, state = optimizer.update(gradients, state)
    return optax.apply_updates(params, updates), state


for size in (3, 4, 4, 3, 4):
    try:
        params, state = step(params, state, jnp.ones(size))
        made += 1
    except ValueError as error:
        print(error)
print(made, "steps")
