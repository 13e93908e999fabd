"""A Wasserstein GAN with gradient penalty: several critic steps for one of the generator, all in one train step."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(159)
rng = np.random.default_rng(159)
x = rng.normal(2, 0.5, (96, 4)).astype("float32")


class Game(keras.Model):
    def __init__(self):
        super().__init__()
        self.critic = keras.Sequential([keras.Input((4,)), layers.Dense(16), layers.LeakyReLU(), layers.Dense(1)])
        self.generator = keras.Sequential(
            [keras.Input((3,)), layers.Dense(16, use_bias=False), layers.BatchNormalization(), layers.Dense(4)]
        )

    def compile(self, critic_optimizer, generator_optimizer):
        super().compile()
        self.critic_optimizer = critic_optimizer
        self.generator_optimizer = generator_optimizer

    def penalty(self, real, fake):
        between = real + tf.random.uniform([tf.shape(real)[0], 1]) * (fake - real)
        with tf.GradientTape() as tape:
            tape.watch(between)
            score = self.critic(between, training=True)
        return tf.reduce_mean((tf.norm(tape.gradient(score, between), axis=1) - 1) ** 2)

    def train_step(self, real):
        for _ in range(3):
            fake = self.generator(tf.random.normal([tf.shape(real)[0], 3]), training=True)
            with tf.GradientTape() as tape:
                apart = tf.reduce_mean(self.critic(fake, training=True)) - tf.reduce_mean(
                    self.critic(real, training=True)
                )
                loss = apart + 10.0 * self.penalty(real, fake)
            variables = self.critic.trainable_variables
            self.critic_optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        with tf.GradientTape() as tape:
            fake = self.generator(tf.random.normal([tf.shape(real)[0], 3]), training=True)
            loss = -tf.reduce_mean(self.critic(fake, training=True))
        variables = self.generator.trainable_variables
        self.generator_optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return {"loss": loss}


game = Game()
game.compile(keras.optimizers.Adam(2e-4, beta_1=0.5), keras.optimizers.Adam(2e-4, beta_1=0.5))
game.fit(x, batch_size=12, epochs=3, verbose=0)
