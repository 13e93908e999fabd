"""A training loop that gathers its variables once, at the top."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

keras.utils.set_random_seed(157)
rng = np.random.default_rng(157)
x = rng.normal(size=(96, 8)).astype("float32")
y = rng.normal(size=(96, 2)).astype("float32")

encoder = keras.Sequential([keras.Input((8,)), layers.Dense(12, activation="tanh")], name="encoder")
model = keras.Sequential([encoder, layers.Dense(2, name="head")])
optimizer = keras.optimizers.Adam(1e-2)
encoder.trainable = False
variables = model.trainable_variables


for start in [*range(0, 96, 12)] * 3:
    with tf.GradientTape() as tape:
        tape.watch([variable.value for variable in variables])
        loss = ops.mean((model(x[start : start + 12], training=True) - y[start : start + 12]) ** 2)
    optimizer.apply(tape.gradient(loss, [variable.value for variable in variables]), variables)
