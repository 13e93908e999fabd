"""Model B inside model C, frozen in one of the ways of JAX: ``experiment.py LIBRARY VARIANT`` prints what moved.

The numbers with other bits after the training are counted from copies of the bytes, for A and for B.
"""

import json
import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

library, variant = sys.argv[1:]
random = np.random.default_rng(2017)
images = random.random((128, 784), "float32")
labels = np.eye(10, dtype="float32")[random.integers(0, 10, 128)]
batches = [(images[at : at + 32], labels[at : at + 32]) for _ in range(3) for at in range(0, 128, 32)]
decays = "decay" in variant
ADAM = optax.adamw(1e-3, weight_decay=0.1) if decays else optax.adam(1e-3)


def part_of(path):
    return "B" if "B" in jax.tree_util.keystr(path) else "A"


def labels_of(tree):
    return jax.tree_util.tree_map_with_path(lambda path, _: part_of(path), tree)


def is_in(part):
    return lambda tree: jax.tree.map(lambda label: label == part, labels_of(tree))


def chosen():
    """The optimizer of the variant."""
    if variant.startswith("B set to zero by label"):
        return optax.multi_transform({"A": ADAM, "B": optax.set_to_zero()}, labels_of)
    if variant.startswith("B set to zero before the optimizer"):
        return optax.chain(optax.masked(optax.set_to_zero(), is_in("B")), ADAM)
    if variant.startswith("B set to zero after the optimizer"):
        return optax.chain(ADAM, optax.masked(optax.set_to_zero(), is_in("B")))
    if variant.startswith("B masked"):
        return optax.masked(ADAM, is_in("A"))
    return ADAM


def loss_of(C, x, y):
    hidden = C.A(x)
    B = jax.lax.stop_gradient(C.B) if variant.startswith("B behind stop_gradient") else C.B
    return -(y * jnp.log(B(hidden) + 1e-9)).sum(-1).mean()


class NnxPart(nnx.Module):
    def __init__(self, inputs, hidden, rngs):
        self.hidden, self.out = nnx.Linear(inputs, hidden, rngs=rngs), nnx.Linear(hidden, 10, rngs=rngs)

    def __call__(self, x):
        return nnx.softmax(self.out(nnx.relu(self.hidden(x))))


class NnxWhole(nnx.Module):
    def __init__(self, rngs):
        self.A, self.B = NnxPart(784, 32, rngs), NnxPart(10, 100, rngs)


class EqxPart(eqx.Module):
    hidden: eqx.nn.Linear
    out: eqx.nn.Linear

    def __init__(self, inputs, hidden, key):
        first, second = jax.random.split(key)
        self.hidden, self.out = eqx.nn.Linear(inputs, hidden, key=first), eqx.nn.Linear(hidden, 10, key=second)

    def __call__(self, x):
        return jax.nn.softmax(jax.vmap(self.out)(jax.nn.relu(jax.vmap(self.hidden)(x))))


class EqxWhole(eqx.Module):
    A: EqxPart
    B: EqxPart

    def __init__(self, key):
        first, second = jax.random.split(key)
        self.A, self.B = EqxPart(784, 32, first), EqxPart(10, 100, second)


def train_nnx():
    C = NnxWhole(nnx.Rngs(2017))
    part = {"B left out by a filter": "A", "A left out by a filter": "B"}.get(variant)
    trained = nnx.Param if part is None else nnx.All(nnx.Param, nnx.PathContains(part))
    optimizer = nnx.Optimizer(C, chosen(), wrt=trained)

    def step(C, optimizer, x, y):
        optimizer.update(C, nnx.grad(loss_of, argnums=nnx.DiffState(0, trained))(C, x, y))

    step = jax.jit(step) if variant == "compiled by jax.jit" else nnx.jit(step)
    before = bytes_of(nnx.state(C, nnx.Param))
    for batch in batches:
        step(C, optimizer, *batch)
    return before, bytes_of(nnx.state(C, nnx.Param))


def train_equinox():
    C = EqxWhole(jax.random.key(2017))
    part = {"B left out by a filter": "A", "A left out by a filter": "B"}.get(variant)
    spec = jax.tree_util.tree_map_with_path(lambda path, leaf: eqx.is_array(leaf) and part in (None, part_of(path)), C)
    moving, still = eqx.partition(C, spec)
    optimizer = chosen()
    state = optimizer.init(moving)

    @eqx.filter_jit
    def step(moving, still, state, x, y):
        gradients = eqx.filter_grad(lambda moving: loss_of(eqx.combine(moving, still), x, y))(moving)
        updates, state = optimizer.update(gradients, state, moving)
        return eqx.apply_updates(moving, updates), state

    before = bytes_of(C)
    for batch in batches:
        moving, state = step(moving, still, state, *batch)
    return before, bytes_of(eqx.combine(moving, still))


def bytes_of(tree):
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path): np.array(leaf) for path, leaf in leaves if eqx.is_array(leaf)}


before, after = train_nnx() if library == "flax nnx" else train_equinox()
moved = {"A": 0, "B": 0}
for name, array in before.items():
    moved["B" if "B" in name else "A"] += array.size * (array.tobytes() != after[name].tobytes())
print(json.dumps(moved))
