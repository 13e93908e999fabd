"""A training loop of our own, its step compiled."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(473)
rng = np.random.default_rng(473)
x = rng.normal(size=(120, 8)).astype("float32")
y = rng.integers(0, 3, 120)

model = keras.Sequential([keras.Input((8,)), layers.Dense(16, activation="tanh"), layers.Dense(3)], name="model")
optimizer = keras.optimizers.Adam(1e-3)
loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@tf.function
def train_step(rows, labels):
    with tf.GradientTape() as tape:
        loss = loss_of(labels, model(rows, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    gradients, _ = tf.clip_by_global_norm(gradients, 1.0)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss


for _ in range(3):
    for start in range(0, 120, 12):
        loss = train_step(x[start : start + 12], y[start : start + 12])
    print("loss", float(loss))
