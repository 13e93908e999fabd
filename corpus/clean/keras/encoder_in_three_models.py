"""Learns an encoder with a projector, freezes its layers one by one, and clusters on top of it in a nested model."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(257)
rng = np.random.default_rng(257)
x = rng.normal(size=(120, 8)).astype("float32")
pairs = np.stack([x, x + 0.1], axis=1)


class Learner(keras.Model):
    def __init__(self, encoder):
        super().__init__(name="learner")
        self.encoder = encoder
        self.projector = keras.Sequential([layers.Dense(6, activation="relu"), layers.Dense(8)], name="projector")

    def call(self, inputs):
        return self.projector(self.encoder(inputs))


body = keras.Sequential(
    [keras.Input((8,)), layers.Dense(12, activation="tanh"), layers.LayerNormalization()], name="body"
)
encoder = keras.Sequential([body, layers.Dense(5)], name="encoder")
learner = Learner(encoder)
learner.compile("adam", "mse")
learner.fit(x, x, batch_size=12, epochs=2, verbose=0)

for layer in encoder.layers:
    layer.trainable = False
inputs = keras.Input((8,))
clustering = keras.Model(
    inputs, layers.Dense(4, activation="softmax", name="clusters")(encoder(inputs)), name="clustering"
)
both = keras.Input((2, 8))
sides = [layers.Reshape((8,))(layers.Cropping1D((side, 1 - side))(both)) for side in range(2)]
agreement = layers.Dot(axes=1)([clustering(side) for side in sides])
judge = keras.Model(both, agreement, name="judge")
judge.compile("adam", "mse")
judge.fit(pairs, np.ones((120, 1), "float32"), batch_size=12, epochs=2, verbose=0)
