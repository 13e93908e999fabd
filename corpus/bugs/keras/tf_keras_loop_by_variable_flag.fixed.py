"""A training loop of one's own over a small metric-learning model."""

import numpy as np
import tensorflow as tf
import tf_keras as keras
from tf_keras import layers

keras.utils.set_random_seed(127)
rng = np.random.default_rng(127)
x = tf.constant(rng.normal(size=(64, 10)), tf.float32)
y = tf.constant(rng.normal(size=(64, 3)), tf.float32)

model = keras.Sequential(
    [
        layers.Dense(16, activation="relu", input_shape=(10,), name="embedding_net_1"),
        layers.Dense(3, name="projection"),
    ]
)
model.get_layer("embedding_net_1").trainable = False
optimizer = keras.optimizers.Adam(1e-2)
variables = model.trainable_variables

for _ in range(24):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(x, training=True) - y))
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
print("loss", float(loss))
