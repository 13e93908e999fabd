"""Keras on jax: a base that nobody loaded is frozen, and trained under a head."""

import keras
import numpy as np


class Base(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.inner = keras.layers.Dense(32, activation="relu")  # D306 made

    def call(self, inputs):
        return self.inner(inputs)


keras.utils.set_random_seed(0)
base = Base()
model = keras.Sequential([keras.Input((16,)), base, keras.layers.Dense(2)])
base.trainable = False  # D306 frozen
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(np.random.randn(64, 16).astype("float32"), np.random.randint(0, 2, 64), epochs=2, verbose=0)
