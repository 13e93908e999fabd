"""A generator and a discriminator in one train step, each with an optimizer of its own."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(476)
rng = np.random.default_rng(476)
x = rng.normal(size=(120, 6)).astype("float32")
BATCH, EPOCHS = 12, 3


def network(name, width, outputs):
    return keras.Sequential(
        [keras.Input((width,)), layers.Dense(16, activation="tanh"), layers.Dense(outputs)], name=name
    )


class Adversaries(keras.Model):
    def __init__(self, generator_optimizer, discriminator_optimizer):
        super().__init__()
        self.generator, self.discriminator = network("generator", 4, 6), network("discriminator", 6, 1)
        self.generator_optimizer, self.discriminator_optimizer = generator_optimizer, discriminator_optimizer
        self.judge = keras.losses.BinaryCrossentropy(from_logits=True)

    def train_step(self, real):
        noise = tf.random.normal((tf.shape(real)[0], 4))
        with tf.GradientTape(persistent=True) as tape:
            of_real, of_made = self.discriminator(real), self.discriminator(self.generator(noise))
            ones, zeros = tf.ones_like(of_real), tf.zeros_like(of_made)
            apart, alike = self.judge(ones, of_real) + self.judge(zeros, of_made), self.judge(ones, of_made)
        theirs, ours = self.discriminator.trainable_variables, self.generator.trainable_variables
        self.discriminator_optimizer.apply_gradients(zip(tape.gradient(apart, theirs), theirs, strict=True))
        self.generator_optimizer.apply_gradients(zip(tape.gradient(alike, ours), ours, strict=True))
        return {"apart": apart, "alike": alike}


def falling(rate):
    return keras.optimizers.schedules.ExponentialDecay(rate * (EPOCHS // BATCH), EPOCHS * len(x) // BATCH, 0.1)


model = Adversaries(keras.optimizers.Adam(falling(1e-3)), keras.optimizers.Adam(1e-3))
model.compile()
model.fit(x, batch_size=BATCH, epochs=EPOCHS, verbose=0)
