"""Trains the same little network in one of the styles of JAX, and prints all that an observer could disturb."""

import functools
import hashlib
import sys

import equinox as eqx
import flax.linen as nn
import jax
from flax import nnx
from flax.training.train_state import TrainState
from little import STEPS, bits, finish, loss, optimizer, params, traced, update, x, y


def jit():
    global params
    state = optimizer.init(params)
    step = jax.jit(update)
    for i in range(STEPS):
        params, state, value = step(params, state, x[i], y[i])
    print(bits((params, state, value)))


def donated():
    global params
    state = optimizer.init(params)
    step = jax.jit(update, donate_argnums=(0, 1))
    for i in range(STEPS):
        former = params
        params, state, value = step(params, state, x[i], y[i])
        print([leaf.is_deleted() for leaf in jax.tree.leaves(former)])
    print(
        bits((params, state, value)),
        hashlib.sha256(step.lower(params, state, x[0], y[0]).as_text().encode()).hexdigest(),
    )


def ahead():
    global params
    state = optimizer.init(params)
    step = jax.jit(update, donate_argnums=0).lower(params, state, x[0], y[0]).compile()
    for i in range(STEPS):
        params, state, value = step(params, state, x[i], y[i])
    print(bits((params, state, value)))


def scan():
    global params

    @jax.jit
    def train(params, state, x, y):
        def body(carry, batch):
            params, state, value = update(*carry, *batch)
            return (params, state), value

        return jax.lax.scan(body, (params, state), (x, y))

    (params, state), values = train(params, optimizer.init(params), x, y)
    print(bits((params, state, values)))


def eager():
    global params
    state = optimizer.init(params)
    for i in range(STEPS):
        params, state, value = update(params, state, x[i], y[i])
    print(bits((params, state, value)))


def by_hand():
    global params
    gradient = jax.jit(jax.grad(loss))
    for i in range(STEPS):
        params = jax.tree.map(lambda p, g: p - 0.01 * g, params, gradient(params, x[i], y[i]))
    print(bits(params))


class Linen(nn.Module):
    @nn.compact
    def __call__(self, x, train):
        x = nn.BatchNorm(use_running_average=not train)(nn.Dense(16)(x))
        return nn.Dense(1)(nn.relu(x))


def linen():
    model = Linen()
    variables = model.init(jax.random.key(1), x[0], False)

    class State(TrainState):
        batch_stats: dict

    state = State.create(apply_fn=model.apply, tx=optimizer, **variables)

    @jax.jit
    def evaluate(state, x, y):
        return ((state.apply_fn({"params": state.params, "batch_stats": state.batch_stats}, x, False) - y) ** 2).mean()

    @jax.jit
    def train_step(state, x, y):
        traced.append(1)

        def loss(params):
            variables = {"params": params, "batch_stats": state.batch_stats}
            outputs, changed = state.apply_fn(variables, x, True, mutable=["batch_stats"])
            return ((outputs - y) ** 2).mean(), changed["batch_stats"]

        (value, statistics), gradients = jax.value_and_grad(loss, has_aux=True)(state.params)
        return state.apply_gradients(grads=gradients, batch_stats=statistics), value

    for i in range(STEPS):
        print(float(evaluate(state, x[i], y[i])).hex())
        state, value = train_step(state, x[i], y[i])
    print(bits((state, value)))


class Nnx(nnx.Module):
    def __init__(self, rngs):
        self.body = nnx.Linear(8, 16, rngs=rngs)
        self.norm = nnx.BatchNorm(16, rngs=rngs)
        self.drop = nnx.Dropout(0.1, rngs=rngs)
        self.head = nnx.Linear(16, 1, rngs=rngs)

    def __call__(self, x):
        return self.head(self.drop(nnx.relu(self.norm(self.body(x)))))


def nnx_step(model, optimizer, x, y):
    traced.append(1)
    value, gradients = nnx.value_and_grad(lambda model: ((model(x) - y) ** 2).mean())(model)
    optimizer.update(model, gradients)
    return value


def nnx_jit():
    train_nnx(nnx.jit(nnx_step))


def train_nnx(step):
    model = Nnx(nnx.Rngs(0))
    state = nnx.Optimizer(model, optimizer, wrt=nnx.Param)
    for i in range(STEPS):
        value = step(model, state, x[i], y[i])
    print(bits((nnx.state(model), nnx.state(state), value)))


def nnx_eager():
    train_nnx(nnx_step)


def equinox():
    model = eqx.nn.MLP(8, 1, 16, 1, key=jax.random.key(1))
    state = optimizer.init(eqx.filter(model, eqx.is_inexact_array))

    @functools.partial(eqx.filter_jit, donate="all")
    def step(model, state, x, y):
        traced.append(1)
        value, gradients = eqx.filter_value_and_grad(lambda model: ((jax.vmap(model)(x) - y) ** 2).mean())(model)
        updates, state = optimizer.update(gradients, state, model)
        return eqx.apply_updates(model, updates), state, value

    for i in range(STEPS):
        model, state, value = step(model, state, x[i], y[i])
    print(bits((eqx.filter(model, eqx.is_array), state, value)))


globals()[sys.argv[1]]()
finish()
