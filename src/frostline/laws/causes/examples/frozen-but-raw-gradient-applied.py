# frostline run frozen-but-raw-gradient-applied.py
import jax
import jax.numpy as jnp
import optax

params = {"body": jnp.ones((4, 4)), "head": jnp.ones((4, 1))}
# False leaves the body out of Adam, and its gradient as it is
optimizer = optax.masked(optax.adam(0.01), {"body": False, "head": True})
state = optimizer.init(params)


def loss(params, x):
    return jnp.square(x @ params["body"] @ params["head"]).mean()


@jax.jit
def step(params, state, x):
    gradients = jax.grad(loss)(params, x)
    updates, state = optimizer.update(gradients, state, params)
    return optax.apply_updates(params, updates), state


for i in range(4):
    x = jax.random.normal(jax.random.key(i), (16, 4))
    params, state = step(params, state, x)
