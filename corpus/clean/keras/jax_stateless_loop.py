"""A jax training loop over a Keras model with batch normalisation; the state goes back at the end of each epoch."""

import jax
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(215)
rng = np.random.default_rng(215)
x = rng.normal(size=(96, 6)).astype("float32")
y = rng.normal(size=(96, 2)).astype("float32")

model = keras.Sequential(
    [keras.Input((6,)), layers.Dense(12, name="hidden"), layers.BatchNormalization(), layers.ReLU(), layers.Dense(2)]
)
optimizer = keras.optimizers.Adam(1e-2)
optimizer.build(model.trainable_variables)


def compute_loss(trainable, rest, batch_x, batch_y):
    prediction, rest = model.stateless_call(trainable, rest, batch_x, training=True)
    return ((prediction - batch_y) ** 2).mean(), rest


@jax.jit
def train_step(trainable, rest, slots, batch_x, batch_y):
    (loss, rest), gradients = jax.value_and_grad(compute_loss, has_aux=True)(trainable, rest, batch_x, batch_y)
    trainable, slots = optimizer.stateless_apply(slots, gradients, trainable)
    return loss, trainable, rest, slots


for epoch in range(3):
    groups = (model.trainable_variables, model.non_trainable_variables, optimizer.variables)
    trainable, rest, slots = ([variable.value for variable in group] for group in groups)
    for start in range(0, 96, 12):
        batch = x[start : start + 12], y[start : start + 12]
        loss, trainable, rest, slots = train_step(trainable, rest, slots, *batch)
    for group, values in zip(groups, (trainable, rest, slots), strict=True):
        for variable, value in zip(group, values, strict=True):
            variable.assign(value)
    print(epoch, float(loss))
