"""Processor time of a step that is a check, the least of many, beside digests of its frozen weight, printed as JSON.

Arguments: how many weights of 4 values are trained, how many MiB one has that is not, and how many seconds a check
takes without that: what is beyond them is reading, printed as a multiple of the digests.
"""

import json
import statistics
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

from frostline.digest.blocks import blocks

ROUNDS = 100


def seconds(act):
    started = time.process_time()
    act()
    return time.process_time() - started


@jax.jit
def step(params, body, x):
    gradients = jax.grad(lambda params: sum((each * x).sum() for each in params.values()))(params)
    return jax.tree.map(lambda each, gradient: each - 0.001 * gradient, params, gradients), body["kernel"][0]


def call():
    global params
    params, _ = step(params, body, x)


def digests():
    for _ in range(2):
        blocks(np.asarray(body["kernel"]).view(np.uint8))


count, mebibytes, beside = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) if sys.argv[3:] else 0
params = {f"weight{i}": jnp.ones(4) for i in range(count)}
body, x = {"kernel": jnp.ones(mebibytes << 18 or 4)}, jnp.float32(1)
rounds = [(seconds(call), seconds(digests)) for _ in range(ROUNDS)]
readings = statistics.median((one - beside) / both for one, both in rounds)
print(json.dumps({"step": min(one for one, _ in rounds), "readings": readings}))
