"""Two optimizers in a loop of our own: a small rate for the layers near the input, a larger one for the others."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(443)
rng = np.random.default_rng(443)
x = rng.normal(size=(120, 8)).astype("float32")
y = rng.integers(0, 3, 120)

model = keras.Sequential(
    [
        keras.Input((8,)),
        layers.Dense(12, activation="tanh", name="first"),
        layers.Dense(12, activation="tanh", name="second"),
        layers.Dense(12, activation="tanh", name="third"),
        layers.Dense(3, name="head"),
    ],
    name="model",
)
near, far = model.trainable_variables[:4], model.trainable_variables[4:]
slow, fast = keras.optimizers.Adam(1e-4), keras.optimizers.Adam(1e-3)
loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
for _ in range(3):
    for start in range(0, 120, 12):
        with tf.GradientTape() as tape:
            loss = loss_of(y[start : start + 12], model(x[start : start + 12], training=True))
        gradients = tape.gradient(loss, near + far)
        slow.apply_gradients(zip(gradients[: len(near)], near, strict=True))
        fast.apply_gradients(zip(gradients[len(near) :], far, strict=True))
