"""Two views of the same data through one encoder; match their projections."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(141)
rng = np.random.default_rng(141)
x = rng.normal(size=(120, 10)).astype("float32")


class TwoViews(keras.Model):
    def __init__(self):
        super().__init__(name="two_views")
        self.encoder = layers.Dense(14, activation="relu", name="encoder")
        self.projector = layers.Dense(5, name="projector")

    def call(self, inputs):
        hidden = self.encoder(inputs)
        return self.projector(hidden)


model = TwoViews()
model.compile(keras.optimizers.Adam(1e-2), "mse")
model.fit(x, x[:, :5], batch_size=12, epochs=3, verbose=0)
