# frostline run gradient-not-used.py
import jax
import jax.numpy as jnp
import optax

params = {"w": jnp.ones((4, 1))}


def loss(params, x):
    return jnp.square(x @ params["w"]).mean()


@jax.jit
def step(params, x):
    value, gradients = jax.value_and_grad(loss)(params, x)
    # the second tree should be the gradients
    new = jax.tree.map(lambda p, g: p - 0.1 * g, params, params)
    return new, value, optax.global_norm(gradients)


for i in range(4):
    x = jax.random.normal(jax.random.key(i), (16, 4))
    params, value, norm = step(params, x)
