"""A network trained on a first task becomes the base of a subclassed model, which trains it further with its head."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(463)
rng = np.random.default_rng(463)
x = rng.normal(size=(120, 8)).astype("float32")
first, second = rng.integers(0, 4, 120), rng.integers(0, 3, 120)
base = keras.Sequential([keras.Input((8,)), layers.Dense(6, activation="relu"), layers.Dense(4)], name="base")


class Continued(keras.Model):
    def __init__(self, base):
        super().__init__()
        self.base = base
        self.head = layers.Dense(3)

    def call(self, inputs):
        return self.head(self.base(inputs))


model = Continued(base)
for network, labels in ((base, first), (model, second)):
    network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    network.fit(x, labels, batch_size=12, epochs=2, verbose=0)
