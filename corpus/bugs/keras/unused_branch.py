"""A classifier with a main and an auxiliary head."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(142)
rng = np.random.default_rng(142)
x = rng.normal(size=(144, 9)).astype("float32")
y = rng.integers(0, 3, 144)


class TwoHeads(keras.Model):
    def __init__(self):
        super().__init__(name="two_heads")
        self.body = layers.Dense(18, activation="relu", name="body")
        self.main = layers.Dense(3, activation="softmax", name="main")
        self.auxiliary = layers.Dense(3, activation="softmax", name="auxiliary")

    def call(self, inputs, training=False):
        hidden = self.body(inputs)
        scores = [self.main(hidden), self.auxiliary(hidden)]
        return scores[0]


model = TwoHeads()
model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
model.fit(x, y, batch_size=12, epochs=2, verbose=0)
