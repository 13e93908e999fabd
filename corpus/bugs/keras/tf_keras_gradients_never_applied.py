"""A training loop of our own over a small regression."""

import numpy as np
import tensorflow as tf
import tf_keras as keras
from tf_keras import layers

keras.utils.set_random_seed(474)
rng = np.random.default_rng(474)
x = tf.constant(rng.normal(size=(64, 10)), tf.float32)
y = tf.constant(rng.normal(size=(64, 3)), tf.float32)

model = keras.Sequential([layers.Dense(16, activation="tanh", input_shape=(10,)), layers.Dense(3)], name="model")
optimizer = keras.optimizers.Adam(1e-2)

for step in range(24):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(x, training=True) - y))
    gradients = tape.gradient(loss, model.trainable_variables)
    print("step", step, "loss", float(loss))
