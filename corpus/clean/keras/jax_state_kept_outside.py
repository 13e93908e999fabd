"""A jax loop whose weights stay in its own state, which is what is evaluated and written."""

import io

import jax
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(149)
rng = np.random.default_rng(149)
x = rng.normal(size=(96, 6)).astype("float32")
y = x[:, :2] * 0.5

model = keras.Sequential([keras.Input((6,)), layers.Dense(12, activation="relu"), layers.Dense(2)])
optimizer = keras.optimizers.Adam(1e-2)
optimizer.build(model.trainable_variables)


def compute_loss(trainable, others, rows, wanted):
    answers, others = model.stateless_call(trainable, others, rows)
    return ((answers - wanted) ** 2).mean(), others


@jax.jit
def train_step(state, rows, wanted):
    trainable, others, slots = state
    (loss, others), slopes = jax.value_and_grad(compute_loss, has_aux=True)(trainable, others, rows, wanted)
    trainable, slots = optimizer.stateless_apply(slots, slopes, trainable)
    return loss, (trainable, others, slots)


groups = model.trainable_variables, model.non_trainable_variables, optimizer.variables
state = tuple([variable.value for variable in group] for group in groups)
for start in [*range(0, 96, 12)] * 3:
    loss, state = train_step(state, x[start : start + 12], y[start : start + 12])

answers, _ = model.stateless_call(state[0], state[1], x)
written = io.BytesIO()
np.savez(written, *state[0])
print("loss", float(loss), "evaluated", float(((answers - y) ** 2).mean()), written.tell() > 0)
