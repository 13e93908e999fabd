"""What the scripts of all styles share: a task, a little network as a tree of arrays, and what is printed of a run."""

import hashlib

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import monitoring

STEPS = 12
compiled = []
traced = []
monitoring.register_event_duration_secs_listener(
    lambda name, *_, **__: "backend_compile" in name and compiled.append(name)
)
x = jax.random.normal(jax.random.key(0), (STEPS, 32, 8))
y = x.sum(-1, keepdims=True)
params = {"body": {"kernel": jnp.full((8, 16), 0.1), "bias": jnp.zeros(16)}, "head": {"kernel": jnp.full((16, 1), 0.1)}}


def bits(tree):
    arrays = [np.asarray(leaf) for leaf in jax.tree.leaves(tree) if jnp.issubdtype(leaf.dtype, jnp.number)]
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()[:16]


def loss(params, x, y):
    hidden = jnp.tanh(x @ params["body"]["kernel"] + params["body"]["bias"])
    return ((hidden @ params["head"]["kernel"] - y) ** 2).mean()


optimizer = optax.adamw(1e-2)


def update(params, state, x, y):
    traced.append(1)
    value, gradients = jax.value_and_grad(loss)(params, x, y)
    updates, state = optimizer.update(gradients, state, params)
    return optax.apply_updates(params, updates), state, value


def finish():
    print("traced", len(traced), "compiled", len(compiled))
