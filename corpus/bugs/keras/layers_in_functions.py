"""A regressor put together from ready-made pieces: a partial call, a queue of blocks, the method of a helper."""

import functools
from collections import deque

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(239)
rng = np.random.default_rng(239)
x = rng.normal(size=(120, 6)).astype("float32")
y = rng.normal(size=(120, 1)).astype("float32")


def normalised(dense, norm, inputs):
    return norm(dense(inputs))


class Mixer:
    def __init__(self):
        self.dense = layers.Dense(6, activation="tanh", name="mix")

    def run(self, inputs):
        return inputs + self.dense(inputs)


class Regressor(keras.Model):
    def __init__(self):
        super().__init__(name="regressor")
        self.stem = functools.partial(normalised, layers.Dense(6, name="stem"), layers.LayerNormalization(name="norm"))
        self.blocks = deque(layers.Dense(6, activation="relu", name=f"block_{index}") for index in range(2))
        self.mix = Mixer().run
        self.head = layers.Dense(1, name="head")

    def call(self, inputs):
        inputs = self.stem(inputs)
        for block in self.blocks:
            inputs = block(inputs)
        return self.head(self.mix(inputs))


model = Regressor()
model.compile("adam", "mse")
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
print("tensors in training:", len(model.trainable_variables))
