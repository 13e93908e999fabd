"""Self-supervised learning with a momentum encoder that no optimizer holds."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(243)
rng = np.random.default_rng(243)
x = rng.normal(size=(128, 10)).astype("float32")


def encoder(name):
    return keras.Sequential([keras.Input((10,)), layers.Dense(16, activation="relu"), layers.Dense(6)], name=name)


class Momentum(keras.Model):
    def __init__(self):
        super().__init__(name="momentum")
        self.online, self.follower = encoder("online"), encoder("follower")
        self.follower.set_weights(self.online.get_weights())
        self.follower.trainable = False
        self.predictor = layers.Dense(6, name="predictor")

    def call(self, inputs):
        return self.predictor(self.online(inputs))

    def train_step(self, batch):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self(batch + 0.1, training=True) - self.follower(batch)) ** 2)
        weights = self.trainable_weights
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        for slow, fast in zip(self.follower.weights, self.online.weights, strict=True):
            slow.assign(0.95 * slow + 0.05 * fast)
        return {"loss": loss}


model = Momentum()
model.build((None, 10))
model.compile(keras.optimizers.Adam(1e-2))
model.fit(x, batch_size=16, epochs=3, verbose=0)
