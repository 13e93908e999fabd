"""Prints how many Python calls of frostline's a call of an equinox train step is made through, past step 300."""

import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

model, x = eqx.nn.Linear(4, 4, key=jax.random.key(0)), jnp.ones(4)
optimizer = optax.adam(1e-3)
state = optimizer.init(eqx.filter(model, eqx.is_inexact_array))


@eqx.filter_jit
def step(model, state, x):
    gradients = eqx.filter_grad(lambda model: jnp.square(model(x)).mean())(model)
    updates, state = optimizer.update(gradients, state, model)
    return eqx.apply_updates(model, updates), state


for _ in range(300):  # the next check is at 512
    model, state = step(model, state, x)

calls = []


def note(frame, event, _):
    if event == "call" and "frostline" in frame.f_code.co_filename:
        calls.append(frame.f_code.co_qualname)


sys.setprofile(note)
for _ in range(10):
    model, state = step(model, state, x)
sys.setprofile(None)
print(len(calls) / 10, *calls[: len(calls) // 10])
