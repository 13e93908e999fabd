"""Contrastive learning with a linear probe beside it: two optimizers, and a part that each leaves alone."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

keras.utils.set_random_seed(160)
rng = np.random.default_rng(160)
x = rng.normal(size=(96, 8)).astype("float32")
y = rng.integers(0, 3, 96)


class Contrastive(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder = keras.Sequential([keras.Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(8)])
        self.projection = keras.Sequential([keras.Input((8,)), layers.Dense(8, activation="relu"), layers.Dense(4)])
        self.probe = keras.Sequential([keras.Input((8,)), layers.Dense(3)])

    def compile(self, optimizer, probe_optimizer):
        super().compile(optimizer=optimizer)
        self.probe_optimizer = probe_optimizer

    def train_step(self, data):
        rows, labels = data
        views = [rows + tf.random.normal(tf.shape(rows), stddev=0.2) for _ in range(2)]
        with tf.GradientTape() as tape:
            one, two = (ops.normalize(self.projection(self.encoder(view, training=True)), axis=1) for view in views)
            alike = ops.matmul(one, ops.transpose(two)) / 0.1
            loss = ops.mean(
                keras.losses.sparse_categorical_crossentropy(ops.arange(ops.shape(one)[0]), alike, from_logits=True)
            )
        variables = self.encoder.trainable_weights + self.projection.trainable_weights
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        with tf.GradientTape() as tape:
            scores = self.probe(self.encoder(rows, training=False), training=True)
            probe_loss = ops.mean(keras.losses.sparse_categorical_crossentropy(labels, scores, from_logits=True))
        variables = self.probe.trainable_weights
        self.probe_optimizer.apply_gradients(zip(tape.gradient(probe_loss, variables), variables, strict=True))
        return {"loss": loss, "probe": probe_loss}


model = Contrastive()
model.compile(keras.optimizers.Adam(), keras.optimizers.Adam())
model.fit(x, y, batch_size=12, epochs=3, verbose=0)

tuned = keras.Sequential([model.encoder, layers.Dense(3)], name="tuned")
tuned.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
tuned.fit(x, y, batch_size=12, epochs=2, verbose=0)
