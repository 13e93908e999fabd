"""A training loop of one's own with GradientTape."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(128)
rng = np.random.default_rng(128)
x = rng.normal(size=(72, 8)).astype("float32")
y = rng.integers(0, 4, 72)

model = keras.Sequential(
    [keras.Input((8,)), layers.Dense(20, activation="relu", name="feature"), layers.Dense(4, name="logits")]
)
model.get_layer("feature").trainable = False
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
weights = model.weights

for start in [*range(0, 72, 12)] * 4:
    with tf.GradientTape() as tape:
        loss = loss_fn(y[start : start + 12], model(x[start : start + 12], training=True))
    optimizer.apply(tape.gradient(loss, weights), weights)
print("loss", float(loss))
