"""Readings of several instruments: each is brought to scale, then their sum is passed through a gate."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(409)
rng = np.random.default_rng(409)
x = rng.normal(size=(120, 6)).astype("float32")
y = rng.integers(0, 3, 120)


class Gate(layers.Layer):
    def __init__(self, width):
        super().__init__(name="gate")
        self.weight = self.add_weight(shape=(width, width), name="weight")

    def call(self, inputs):
        return inputs * tf.sigmoid(tf.matmul(inputs, self.weight))


class Instruments(layers.Layer):
    def __init__(self, count):
        super().__init__(name="instruments")
        self.parts = [layers.Dense(5, name=f"part_{index}") for index in range(count)]
        self.scales = [self.add_weight(shape=(5,), initializer="ones", name=f"scale_{index}") for index in range(count)]
        self.offsets = {"last": tf.Variable(tf.zeros(5), trainable=False)}
        self.gate = Gate(5)

    def call(self, inputs):
        parts = [part(inputs) * scale for part, scale in zip(self.parts, self.scales, strict=True)]
        return self.gate(tf.add_n(parts) - self.offsets["last"])


model = keras.Sequential([keras.Input((6,)), Instruments(2), layers.Dense(3, name="head")], name="model")
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
