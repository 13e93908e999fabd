"""A variational autoencoder: a seed of its own, and a loss added in the forward pass."""

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(158)
rng = np.random.default_rng(158)
x = rng.normal(size=(120, 8)).astype("float32")


class Autoencoder(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder = layers.Dense(16, activation="relu")
        self.mean = layers.Dense(2)
        self.log_variance = layers.Dense(2)
        self.decoder = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(8)])
        self.seed = keras.random.SeedGenerator(1)

    def call(self, inputs):
        hidden = self.encoder(inputs)
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        self.add_loss(-5e-4 * ops.mean(1 + log_variance - ops.square(mean) - ops.exp(log_variance)))
        noise = keras.random.normal(ops.shape(mean), seed=self.seed)
        return self.decoder(mean + ops.exp(0.5 * log_variance) * noise)


model = Autoencoder()
model.compile("adam", "mse")
model.fit(x, x, batch_size=12, epochs=3, verbose=0)
