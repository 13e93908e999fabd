"""A classifier with a mixing layer in the middle."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(477)
rng = np.random.default_rng(477)
x = rng.normal(size=(120, 8)).astype("float32")
y = rng.integers(0, 3, 120)


class Classifier(keras.Model):
    def __init__(self):
        super().__init__(name="classifier")
        self.body = layers.Dense(12, activation="tanh", name="body")
        self.mix = layers.Dense(12, activation="tanh", name="mix")
        self.head = layers.Dense(3, name="head")

    def call(self, inputs):
        return self.head(self.mix(self.body(inputs)))


model = Classifier()
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
