"""A training loop with GradientTape, traced once."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(212)
rng = np.random.default_rng(212)
x = rng.normal(size=(96, 9)).astype("float32")
y = rng.integers(0, 3, 96)

model = keras.Sequential(
    [keras.Input((9,)), layers.Dense(18, activation="relu", name="fixed"), layers.Dense(3, name="trained")]
)
model.get_layer("fixed").trainable = False
optimizer = keras.optimizers.Adam(1e-2)
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
metric = keras.metrics.SparseCategoricalAccuracy()


@tf.function
def step(batch_x, batch_y):
    with tf.GradientTape() as tape:
        logits = model(batch_x, training=True)
        loss = loss_fn(batch_y, logits)
    optimizer.apply(tape.gradient(loss, model.trainable_weights), model.trainable_weights)
    metric.update_state(batch_y, logits)
    return loss


for epoch in range(3):
    for batch in tf.data.Dataset.from_tensor_slices((x, y)).batch(12):
        loss = step(*batch)
    print(epoch, float(loss), float(metric.result()))
    metric.reset_state()
