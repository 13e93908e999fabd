"""An autoencoder guided by the features of a network trained before, which a plain object keeps out of the model."""

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(277)
rng = np.random.default_rng(277)
x = rng.normal(size=(120, 8)).astype("float32")


def features():
    return keras.Sequential([keras.Input((8,)), layers.Dense(24, activation="tanh"), layers.Dense(8)], name="features")


trained = features()
trained.compile(keras.optimizers.Adam(0.05), "mse")
trained.fit(x, 3 * x[:, ::-1], batch_size=12, epochs=8, verbose=0)


class Guide:
    def __init__(self):
        self.network = features()
        self.network.set_weights(trained.get_weights())

    def distance(self, one, other):
        return ops.mean((self.network(one) - self.network(other)) ** 2)


class Autoencoder(keras.Model):
    def __init__(self):
        super().__init__(name="autoencoder")
        self.encoder = layers.Dense(4, activation="tanh", name="encoder")
        self.decoder = layers.Dense(8, name="decoder")
        self.guide = Guide()

    def call(self, inputs):
        return self.decoder(self.encoder(inputs))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean((y - y_pred) ** 2) + self.guide.distance(y, y_pred)


model = Autoencoder()
model.compile("adam")
model.fit(x, x, batch_size=12, epochs=3, verbose=0)
