# frostline run donated-weights-used.py
import functools

import jax
import jax.numpy as jnp
import optax

params = {"body": jnp.ones((4, 4)), "head": jnp.ones((4, 1))}
optimizer = optax.adam(0.01)
state = optimizer.init(params)


def loss(params, x):
    return jnp.square(x @ params["body"] @ params["head"] - 1).mean()


@functools.partial(jax.jit, donate_argnums=(0, 1))
def step(params, state, x):
    updates, state = optimizer.update(jax.grad(loss)(params, x), state)
    return optax.apply_updates(params, updates), state


best = params  # a second name for the weights, and no copy of them
for i in range(4):
    x = jax.random.normal(jax.random.key(i), (16, 4))
    params, state = step(params, state, x)
try:
    print(loss(best, x))
except RuntimeError as error:
    print(error)
