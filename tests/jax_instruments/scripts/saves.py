"""Trains a little network of flax, or of equinox, and writes it in one of many ways, right or wrong."""

import os
import pickle
import sys

import equinox as eqx
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import orbax.checkpoint as ocp
from flax import serialization
from flax.training.train_state import TrainState
from flax.traverse_util import flatten_dict
from safetensors.flax import save_file

HERE = os.getcwd()
x = jax.random.normal(jax.random.key(0), (6, 32, 8))
y = x.sum(-1, keepdims=True)


class Net(nn.Module):
    @nn.compact
    def __call__(self, x, train):
        x = nn.BatchNorm(use_running_average=not train)(nn.Dense(16)(x))
        return nn.Dense(1)(nn.relu(x))


class State(TrainState):
    batch_stats: dict
    ema: dict


def flax(save, when):
    net = Net()
    variables = net.init(jax.random.key(1), x[0], False)
    ema = jax.tree.map(jnp.array, variables["params"])
    state = State.create(apply_fn=net.apply, tx=optax.adam(1e-2), ema=ema, **variables)
    first = jax.tree.map(jnp.array, state.params)

    @jax.jit
    def step(state, x, y):
        def loss(params):
            variables = {"params": params, "batch_stats": state.batch_stats}
            outputs, changed = state.apply_fn(variables, x, True, mutable=["batch_stats"])
            return ((outputs - y) ** 2).mean(), changed["batch_stats"]

        gradients, statistics = jax.grad(loss, has_aux=True)(state.params)
        state = state.apply_gradients(grads=gradients, batch_stats=statistics)
        return state.replace(ema=optax.incremental_update(state.params, state.ema, 0.1))

    for i in range(6):
        if i == when:
            save(state, first)
        state = step(state, x[i], y[i])
    if when == 6:
        save(state, first)


def variables_of(state):
    return {"params": state.params, "batch_stats": state.batch_stats}


def write(tree):
    with open("model.msgpack", "wb") as file:
        file.write(serialization.to_bytes(tree))


def manager(tree):
    with ocp.CheckpointManager(f"{HERE}/kept") as kept:
        items = {"state": ocp.args.StandardSave(tree), "notes": ocp.args.JsonSave({"epoch": 3})}
        kept.save(300, args=ocp.args.Composite(**items))


def newest(tree):
    from orbax.checkpoint.experimental import v1

    v1.save_pytree(f"{HERE}/newest", tree)


def checkpoint(state, _):
    from flax.training import checkpoints  # loads TensorFlow, where it is there

    checkpoints.save_checkpoint(HERE, state, 3)


def pickled(tree):
    with open("model.pkl", "wb") as file:
        pickle.dump(jax.device_get(tree), file)


FLAX = {
    "state": lambda state, _: write(state),
    "averages": lambda state, _: write(variables_of(state) | {"params": state.ema}),
    "halves": lambda state, _: write(jax.tree.map(lambda array: array.astype(jnp.bfloat16), variables_of(state))),
    "pickle": lambda state, _: pickled(variables_of(state)),
    "safetensors": lambda state, _: save_file(flatten_dict(variables_of(state), sep="/"), "model.safetensors"),
    "npz": lambda state, _: np.savez("model.npz", **flatten_dict(variables_of(state), sep="/")),
    "manager": lambda state, _: manager(variables_of(state)),
    "checkpointer": lambda state, _: ocp.PyTreeCheckpointer().save(f"{HERE}/one", state),
    "newest": lambda state, _: newest(variables_of(state)),
    "checkpoints": checkpoint,
    "no_statistics": lambda state, _: write({"params": state.params}),
    "head": lambda state, _: write({"params": {"Dense_1": state.params["Dense_1"]}, "batch_stats": state.batch_stats}),
    "first": lambda state, first: write(variables_of(state) | {"params": first}),
    "zeros": lambda state, _: write(variables_of(state) | {"params": jax.tree.map(jnp.zeros_like, state.params)}),
}


def equinox(save):
    model = eqx.nn.MLP(8, 1, 16, 1, key=jax.random.key(1))
    optimizer = optax.adam(1e-2)
    state = optimizer.init(eqx.filter(model, eqx.is_inexact_array))
    first = model

    @eqx.filter_jit
    def step(model, state, x, y):
        gradients = eqx.filter_grad(lambda model: ((jax.vmap(model)(x) - y) ** 2).mean())(model)
        updates, state = optimizer.update(gradients, state, model)
        return eqx.apply_updates(model, updates), state

    for i in range(6):
        model, state = step(model, state, x[i], y[i])
    save(model, first)


def matrices(file, value):
    if getattr(value, "ndim", 0) == 2:
        eqx.default_serialise_filter_spec(file, value)


EQUINOX = {
    "whole": lambda model, _: eqx.tree_serialise_leaves("model.eqx", model),
    "matrices": lambda model, _: eqx.tree_serialise_leaves("model.eqx", model, filter_spec=matrices),
    "former": lambda _, first: eqx.tree_serialise_leaves("model.eqx", first),
}

how = sys.argv[1]
if how in FLAX:
    flax(FLAX[how], int(sys.argv[2]))
else:
    equinox(EQUINOX[how])
