"""A GAN in one keras.Model, its two steps with torch autograd."""

import keras
import numpy as np
import torch
from keras import layers

keras.utils.set_random_seed(231)
rng = np.random.default_rng(231)
real = rng.normal(1.0, 0.5, size=(192, 3)).astype("float32")


class Gan(keras.Model):
    def __init__(self):
        super().__init__(name="gan")
        self.generator = keras.Sequential(
            [keras.Input((2,)), layers.Dense(12, activation="relu"), layers.Dense(3)], name="generator"
        )
        self.critic = keras.Sequential(
            [keras.Input((3,)), layers.Dense(12, activation="relu"), layers.Dense(1)], name="critic"
        )
        self.bce = keras.losses.BinaryCrossentropy(from_logits=True)

    def compile(self, critic_optimizer, generator_optimizer):
        super().compile()
        self.critic_optimizer, self.generator_optimizer = critic_optimizer, generator_optimizer

    def call(self, inputs):
        return self.critic(inputs)

    def update(self, part, optimizer, loss):
        self.zero_grad()
        loss.backward()
        weights = list(part.trainable_weights)
        with torch.no_grad():
            optimizer.apply([weight.value.grad for weight in weights], weights)

    def train_step(self, data):
        batch = keras.utils.unpack_x_y_sample_weight(data)[0]
        ones, zeros = torch.ones(len(batch), 1), torch.zeros(len(batch), 1)
        fake = self.generator(torch.randn(len(batch), 2))
        critic_loss = self.bce(ones, self.critic(batch)) + self.bce(zeros, self.critic(fake.detach()))
        self.update(self.critic, self.critic_optimizer, critic_loss)
        generator_loss = self.bce(ones, self.critic(self.generator(torch.randn(len(batch), 2))))
        self.update(self.generator, self.generator_optimizer, generator_loss)
        return {"critic": critic_loss, "generator": generator_loss}


gan = Gan()
gan.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3))
gan.fit(real, batch_size=16, epochs=2, verbose=0)
