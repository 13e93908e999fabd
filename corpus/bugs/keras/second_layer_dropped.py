"""A subclassed regressor with two hidden layers of one size."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(271)
rng = np.random.default_rng(271)
x = rng.normal(size=(120, 8)).astype("float32")
y = rng.normal(size=(120, 2)).astype("float32")


class Regressor(keras.Model):
    def __init__(self):
        super().__init__(name="regressor")
        self.mix = layers.Dense(8, activation="tanh", name="mix")
        self.refine = layers.Dense(8, activation="tanh", name="refine")
        self.head = layers.Dense(2, name="head")

    def call(self, inputs):
        mixed = self.mix(inputs)
        self.refine(mixed)
        return self.head(mixed)


model = Regressor()
model.compile("adam", "mse")
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
