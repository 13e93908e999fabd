"""Two optimizers in a loop of our own over a network with a shortcut: a small rate near the input, a larger behind."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(472)
rng = np.random.default_rng(472)
x = rng.normal(size=(120, 8)).astype("float32")
y = rng.integers(0, 3, 120)

inputs = keras.Input((8,))
first = layers.Dense(12, activation="tanh", name="first")(inputs)
second = layers.Dense(12, activation="tanh", name="second")(first)
third = layers.Dense(12, activation="tanh", name="third")(layers.Add()([first, second]))
model = keras.Model(inputs, layers.Dense(3, name="head")(third), name="model")

near = [*model.get_layer("first").trainable_variables, *model.get_layer("second").trainable_variables]
far = [*model.get_layer("third").trainable_variables, *model.get_layer("head").trainable_variables]
slow, fast = keras.optimizers.Adam(1e-4), keras.optimizers.Adam(1e-3)
loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
for _ in range(3):
    for start in range(0, 120, 12):
        with tf.GradientTape() as tape:
            loss = loss_of(y[start : start + 12], model(x[start : start + 12], training=True))
        gradients = tape.gradient(loss, near + far)
        slow.apply_gradients(zip(gradients[: len(near)], near, strict=True))
        fast.apply_gradients(zip(gradients[len(near) :], far, strict=True))
