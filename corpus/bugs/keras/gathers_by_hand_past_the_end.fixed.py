"""Gradients are gathered over several batches by a step of our own, for want of memory."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(457)
rng = np.random.default_rng(457)
x = rng.normal(size=(120, 6)).astype("float32")
y = rng.integers(0, 3, 120)


class Gathering(keras.Model):
    def __init__(self, inner, batches):
        super().__init__(name="model")
        self.inner = inner
        self.batches = batches
        self.seen = tf.Variable(0, trainable=False)
        self.gathered = [tf.Variable(tf.zeros(each.shape), trainable=False) for each in inner.trainable_variables]

    def call(self, inputs, training=None):
        return self.inner(inputs, training=training)

    def train_step(self, data):
        inputs, target = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(inputs, target, self(inputs, training=True))
        gradients = tape.gradient(loss, self.inner.trainable_variables)
        for memory, gradient in zip(self.gathered, gradients, strict=True):
            memory.assign_add(gradient / self.batches)
        self.seen.assign_add(1)
        tf.cond(self.seen >= self.batches, self.apply, lambda: None)
        return {"loss": loss}

    def apply(self):
        self.optimizer.apply_gradients(zip(self.gathered, self.inner.trainable_variables, strict=True))
        self.seen.assign(0)
        for memory in self.gathered:
            memory.assign(tf.zeros_like(memory))


inner = keras.Sequential(
    [keras.Input((6,)), layers.Dense(8, activation="tanh", name="hidden"), layers.Dense(3, name="head")], name="inner"
)
model = Gathering(inner, batches=4)
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.optimizer.build(inner.trainable_variables)
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
