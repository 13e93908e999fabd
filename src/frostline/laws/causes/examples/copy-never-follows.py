# frostline run copy-never-follows.py
import jax
import jax.numpy as jnp
import optax

params = {"w": jnp.arange(1.0, 5.0)[:, None]}
ema = jax.tree.map(jnp.array, params)
optimizer = optax.adam(0.01)
state = optimizer.init(params)


def loss(params, x):
    return jnp.square(x @ params["w"]).mean()


@jax.jit
def step(params, ema, state, x):
    gradients = jax.grad(loss)(params, x)
    updates, state = optimizer.update(gradients, state, params)
    params = optax.apply_updates(params, updates)
    # nothing takes the new average
    optax.incremental_update(params, ema, 0.1)
    return params, ema, state


for i in range(4):
    x = jax.random.normal(jax.random.key(i), (16, 4))
    params, ema, state = step(params, ema, state, x)
