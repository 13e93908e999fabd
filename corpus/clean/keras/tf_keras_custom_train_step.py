"""A small variational autoencoder in Keras 2."""

import numpy as np
import tensorflow as tf
import tf_keras as keras
from tf_keras import layers

keras.utils.set_random_seed(233)
rng = np.random.default_rng(233)
x = rng.normal(size=(128, 8)).astype("float32")


class Autoencoder(keras.Model):
    def __init__(self):
        super().__init__(name="autoencoder")
        self.encoder = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(6)], name="encoder")
        self.decoder = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(8)], name="decoder")
        self.loss_tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.loss_tracker]

    def call(self, inputs):
        mean, scale = tf.split(self.encoder(inputs), 2, axis=1)
        return self.decoder(mean + tf.exp(scale) * tf.random.normal(tf.shape(mean))), mean, scale

    def train_step(self, data):
        with tf.GradientTape() as tape:
            output, mean, scale = self(data, training=True)
            divergence = tf.reduce_mean(mean**2 + tf.exp(2 * scale) - 2 * scale - 1)
            loss = tf.reduce_mean((output - data) ** 2) + 0.1 * divergence
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        self.loss_tracker.update_state(loss)
        return {"loss": self.loss_tracker.result()}


model = Autoencoder()
model.compile(keras.optimizers.Adam(1e-2))
model.fit(x, batch_size=16, epochs=3, verbose=0)
