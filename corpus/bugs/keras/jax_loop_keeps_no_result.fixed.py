"""A jax training loop over a Keras model, after the guide."""

import jax
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(146)
rng = np.random.default_rng(146)
x = rng.normal(size=(96, 6)).astype("float32")
y = rng.normal(size=(96, 2)).astype("float32")

model = keras.Sequential(
    [keras.Input((6,)), layers.Dense(12, activation="relu", name="map"), layers.Dense(2, name="out")]
)
optimizer = keras.optimizers.Adam(1e-2)
optimizer.build(model.trainable_variables)


def compute_loss(trainable, frozen, batch_x, batch_y):
    prediction, frozen = model.stateless_call(trainable, frozen, batch_x, training=True)
    return ((prediction - batch_y) ** 2).mean(), frozen


@jax.jit
def train_step(state, batch_x, batch_y):
    trainable, frozen, slots = state
    (loss, frozen), gradients = jax.value_and_grad(compute_loss, has_aux=True)(trainable, frozen, batch_x, batch_y)
    trainable, slots = optimizer.stateless_apply(slots, gradients, trainable)
    return loss, (trainable, frozen, slots)


state = (
    [variable.value for variable in model.trainable_variables],
    [variable.value for variable in model.non_trainable_variables],
    [variable.value for variable in optimizer.variables],
)
for start in [*range(0, 96, 12)] * 3:
    loss, state = train_step(state, x[start : start + 12], y[start : start + 12])

for variable, value in zip(model.trainable_variables, state[0], strict=True):
    variable.assign(value)
print("loss", float(loss), "evaluated", float(((model(x) - y) ** 2).mean()))
