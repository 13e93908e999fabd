"""Pretrain with averaged weights, put published weights into the base, then train the head on."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(123)
rng = np.random.default_rng(123)
x = rng.normal(size=(64, 6)).astype("float32")
y = rng.normal(size=(64, 2)).astype("float32")

base = keras.Sequential([keras.Input((6,)), layers.Dense(12, activation="tanh", name="base_mix")], name="base")
model = keras.Sequential([keras.Input((6,)), base, layers.Dense(2, name="head")])
optimizer = keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.95, ema_overwrite_frequency=4)
model.compile(optimizer, "mse")
for _ in range(12):
    model.train_on_batch(x, y)

published = [rng.normal(size=weight.shape) for weight in base.get_weights()]
base.set_weights(published)
base.trainable = False
model.compile(optimizer, "mse")
for _ in range(12):
    model.train_on_batch(x, y)
