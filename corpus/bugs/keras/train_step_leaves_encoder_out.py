"""An autoencoder with a train step of its own."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(156)
rng = np.random.default_rng(156)
x = rng.normal(size=(120, 8)).astype("float32")


class Autoencoder(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder = keras.Sequential([keras.Input((8,)), layers.Dense(4, activation="tanh")], name="encoder")
        self.decoder = keras.Sequential([keras.Input((4,)), layers.Dense(8)], name="decoder")

    def call(self, inputs):
        return self.decoder(self.encoder(inputs))

    def train_step(self, batch):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self(batch, training=True) - batch) ** 2)
        variables = self.decoder.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return {"loss": loss}


model = Autoencoder()
model.compile("adam")
model.fit(x, batch_size=12, epochs=3, verbose=0)
