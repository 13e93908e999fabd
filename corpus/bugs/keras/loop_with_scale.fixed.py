"""A loop of its own around an optimizer that divides gradients by the scale of the loss."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(1)
rows = np.random.default_rng(0).normal(size=(120, 8)).astype("float32")
values = rows[:, :2].sum(1, keepdims=True)
model = keras.Sequential([keras.Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(1)], name="net")
optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.05))
for _ in range(5):
    for start in range(0, 120, 20):
        batch, wanted = rows[start : start + 20], values[start : start + 20]
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(batch, training=True) - wanted) ** 2)
            scaled = optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled, model.trainable_weights)
        optimizer.apply(gradients, model.trainable_weights)
print("loss", round(float(loss), 4))
