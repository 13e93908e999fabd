"""Autoencoders whose train steps compare features of a network from a file, and of a fixed one that they cut off."""

import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(151)
rng = np.random.default_rng(151)
x = rng.normal(size=(120, 8)).astype("float32")


def network(name, width):
    return keras.Sequential([keras.Input((8,)), layers.Dense(16, "relu"), layers.Dense(width)], name=name)


with tempfile.TemporaryDirectory() as folder:
    network("guide", 6).save(Path(folder) / "guide.keras")
    guide = keras.models.load_model(Path(folder) / "guide.keras")


class Autoencoder(keras.Model):
    def __init__(self, beside, cut):
        super().__init__()
        self.encoder, self.decoder = network("encoder", 8), network("decoder", 8)
        self.beside, self.cut = beside, cut

    def train_step(self, batch):
        with tf.GradientTape() as tape:
            code = self.encoder(batch, training=True)
            made = self.decoder(code, training=True)
            loss = tf.reduce_mean((made - batch) ** 2)
            if self.cut:
                loss += 0.1 * tf.reduce_mean((code - tf.stop_gradient(self.beside(batch))) ** 2)
            else:
                loss += 0.1 * tf.reduce_mean((self.beside(made) - self.beside(batch)) ** 2)
        variables = self.encoder.trainable_variables + self.decoder.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return {"loss": loss}


guided, drawn = Autoencoder(guide, cut=False), Autoencoder(network("target", 8), cut=True)
for model in (guided, drawn):
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(x, batch_size=12, epochs=3, verbose=0)
