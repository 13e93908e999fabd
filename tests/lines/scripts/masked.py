"""optax: decay is added after the frozen weights' gradients were set to zero."""

import jax
import jax.numpy as jnp
import optax

params = {"body": jnp.ones((4, 4)), "head": jnp.ones((4, 2))}
frozen = optax.masked(optax.set_to_zero(), {"body": True, "head": False})
tx = optax.chain(frozen, optax.add_decayed_weights(1e-2), optax.sgd(1e-1))  # F101 optimizer
state = tx.init(params)
x = jax.random.normal(jax.random.key(0), (16, 4))


@jax.jit  # F101 compiled
def train_step(params, state):
    grads = jax.grad(lambda p: ((x @ p["body"] @ p["head"]) ** 2).mean())(params)
    updates, state = tx.update(grads, state, params)
    return optax.apply_updates(params, updates), state  # F101 step


for _ in range(8):
    params, state = train_step(params, state)  # F101 step
