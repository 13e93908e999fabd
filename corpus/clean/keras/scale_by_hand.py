"""Multiplies its loss by the scale of the optimizer in a line of its own, which the optimizer divides gradients by."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(1)
rows = np.random.default_rng(0).normal(size=(120, 8)).astype("float32")
values = rows[:, :2].sum(1, keepdims=True)
model = keras.Sequential([keras.Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(1)], name="net")
optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.05), initial_scale=1024.0)
optimizer.build(model.trainable_variables)
for _ in range(5):
    for start in range(0, 120, 20):
        batch, wanted = rows[start : start + 20], values[start : start + 20]
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(batch, training=True) - wanted) ** 2)
            scaled = loss * optimizer.dynamic_scale
        optimizer.apply(tape.gradient(scaled, model.trainable_weights), model.trainable_weights)
print("loss", round(float(loss), 4))
