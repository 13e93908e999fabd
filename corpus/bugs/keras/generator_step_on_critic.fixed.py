"""Adversarial training with a penalty on the critic's slope and several critic steps for each of the generator."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(150)
rng = np.random.default_rng(150)
x = rng.normal(size=(120, 8)).astype("float32")


class Adversaries(keras.Model):
    def __init__(self):
        super().__init__()
        self.generator = keras.Sequential(
            [keras.Input((4,)), layers.Dense(16, use_bias=False), layers.BatchNormalization(), layers.Dense(8)],
            name="generator",
        )
        self.critic = keras.Sequential([keras.Input((8,)), layers.Dense(16), layers.LeakyReLU(), layers.Dense(1)])

    def compile(self, critic_optimizer, generator_optimizer):
        super().compile()
        self.critic_optimizer, self.generator_optimizer = critic_optimizer, generator_optimizer

    def penalty(self, real, fake):
        mixed = real + tf.random.uniform((tf.shape(real)[0], 1)) * (fake - real)
        with tf.GradientTape() as inner:
            inner.watch(mixed)
            scores = self.critic(mixed, training=True)
        slopes = inner.gradient(scores, mixed)
        return tf.reduce_mean((tf.norm(slopes + 1e-12, axis=1) - 1.0) ** 2)

    def train_step(self, real):
        for _ in range(3):
            noise = tf.random.normal((tf.shape(real)[0], 4))
            with tf.GradientTape() as tape:
                fake = self.generator(noise, training=True)
                scores = self.critic(fake, training=True), self.critic(real, training=True)
                critic_loss = tf.reduce_mean(scores[0] - scores[1]) + 10.0 * self.penalty(real, fake)
            variables = self.critic.trainable_variables
            gradients = tape.gradient(critic_loss, variables)
            self.critic_optimizer.apply_gradients(zip(gradients, variables, strict=True))
        noise = tf.random.normal((tf.shape(real)[0], 4))
        with tf.GradientTape() as tape:
            loss = -tf.reduce_mean(self.critic(self.generator(noise, training=True), training=True))
        variables = self.generator.trainable_variables
        gradients = tape.gradient(loss, variables)
        self.generator_optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return {"critic": critic_loss, "generator": loss}


model = Adversaries()
model.compile(keras.optimizers.Adam(1e-3, beta_1=0.5), keras.optimizers.Adam(1e-3, beta_1=0.5))
model.fit(x, batch_size=12, epochs=3, verbose=0)
