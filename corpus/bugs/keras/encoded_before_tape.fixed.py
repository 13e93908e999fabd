"""An autoencoder with a train step of its own; its layers take their shapes from the first batch."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(241)
rng = np.random.default_rng(241)
x = rng.normal(size=(120, 8)).astype("float32")


class Autoencoder(keras.Model):
    def __init__(self):
        super().__init__(name="autoencoder")
        self.encoder = layers.Dense(5, activation="tanh", name="encoder")
        self.decoder = layers.Dense(8, name="decoder")
        self.built = True

    def train_step(self, data):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self.decoder(self.encoder(data)) - data) ** 2)
        variables = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return {"loss": loss}


model = Autoencoder()
model.compile(keras.optimizers.Adam(0.01))
model.fit(x, batch_size=12, epochs=3, verbose=0)
