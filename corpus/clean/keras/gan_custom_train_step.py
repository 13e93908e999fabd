"""A GAN over a mixture of two Gaussians, in one keras.Model."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(203)
rng = np.random.default_rng(203)
real = np.concatenate([rng.normal(-2, 0.3, (160, 2)), rng.normal(2, 0.3, (160, 2))]).astype("float32")


class Gan(keras.Model):
    def __init__(self):
        super().__init__(name="gan")
        self.generator = keras.Sequential(
            [keras.Input((4,)), layers.Dense(16, activation="relu"), layers.Dense(2)], name="generator"
        )
        self.discriminator = keras.Sequential(
            [keras.Input((2,)), layers.Dense(16, activation="leaky_relu"), layers.Dense(1)], name="discriminator"
        )
        self.seeds = keras.random.SeedGenerator(203)
        self.bce = keras.losses.BinaryCrossentropy(from_logits=True)

    def compile(self, d_optimizer, g_optimizer):
        super().compile()
        self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer

    def call(self, inputs):
        return self.generator(inputs)

    def train_step(self, batch):
        size = tf.shape(batch)[0]
        fake = self.generator(keras.random.normal((size, 4), seed=self.seeds))
        labels = tf.concat([tf.ones((size, 1)), tf.zeros((size, 1))], 0)
        with tf.GradientTape() as tape:
            d_loss = self.bce(labels, self.discriminator(tf.concat([batch, fake], 0)))
        weights = self.discriminator.trainable_weights
        self.d_optimizer.apply(tape.gradient(d_loss, weights), weights)

        noise = keras.random.normal((size, 4), seed=self.seeds)
        with tf.GradientTape() as tape:
            g_loss = self.bce(tf.ones((size, 1)), self.discriminator(self.generator(noise)))
        weights = self.generator.trainable_weights
        self.g_optimizer.apply(tape.gradient(g_loss, weights), weights)
        return {"d_loss": d_loss, "g_loss": g_loss}


gan = Gan()
gan.compile(keras.optimizers.Adam(2e-3, 0.5), keras.optimizers.Adam(1e-3, 0.5))
gan.fit(real, batch_size=32, epochs=3, verbose=0)
