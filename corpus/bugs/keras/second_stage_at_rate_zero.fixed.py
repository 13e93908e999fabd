"""A head is trained first, and then all of it, by one optimizer whose rate falls as it goes."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(479)
rng = np.random.default_rng(479)
x = rng.normal(size=(120, 8)).astype("float32")
y = rng.integers(0, 3, 120)
BATCH, EPOCHS = 12, 2

base = keras.Sequential([keras.Input((8,)), layers.Dense(16, activation="tanh")], name="base")
model = keras.Sequential([base, layers.Dense(3, name="head")], name="model")
model.build((None, 8))
rate = keras.optimizers.schedules.CosineDecay(1e-3, decay_steps=2 * EPOCHS * len(x) // BATCH)
optimizer = keras.optimizers.Adam(rate)
optimizer.build(model.trainable_variables)
loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def train():
    for start in [*range(0, len(x), BATCH)] * EPOCHS:
        with tf.GradientTape() as tape:
            loss = loss_of(y[start : start + BATCH], model(x[start : start + BATCH], training=True))
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))


base.trainable = False
train()
base.trainable = True
train()
