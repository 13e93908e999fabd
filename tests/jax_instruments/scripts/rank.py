"""One of two processes that train together on the CPU: its number, the port, and how far it moves the second head."""

import os
import sys

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=1"

import jax
import jax.numpy as jnp
import optax
from jax.sharding import NamedSharding, PartitionSpec

rank, port, apart = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
jax.config.update("jax_cpu_collectives_implementation", "gloo")
jax.distributed.initialize(f"127.0.0.1:{port}", 2, rank)
mesh = jax.make_mesh((2,), ("data",), axis_types=(jax.sharding.AxisType.Auto,))
whole, split = (NamedSharding(mesh, PartitionSpec(*axes)) for axes in ((), ("data",)))
everywhere = jax.make_array_from_process_local_data
params = {
    "body": everywhere(split, jnp.full((4, 8), 0.1 + rank)),
    "head": everywhere(whole, jnp.full((8, 1), 0.1)),
}
optimizer = optax.adam(0.01)
state = jax.jit(optimizer.init)(params)


@jax.jit
def step(params, state, x):
    gradients = jax.grad(lambda params: jnp.square(x @ params["body"] @ params["head"] - 1).mean())(params)
    updates, state = optimizer.update(gradients, state, params)
    return optax.apply_updates(params, updates), state


for i in range(6):
    x = everywhere(split, jax.random.normal(jax.random.key(2 * i + rank), (16, 8)))
    params, state = step(params, state, x)
    if i == 3:
        params["head"] = everywhere(whole, params["head"].addressable_data(0) + apart * rank)
