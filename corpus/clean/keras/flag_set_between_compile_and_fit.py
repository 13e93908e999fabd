"""Compile first, choose what to train afterwards, then fit."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(240)
rng = np.random.default_rng(240)
x = rng.normal(size=(120, 6)).astype("float32")
y = rng.normal(size=(120, 1)).astype("float32")

model = keras.Sequential(
    [keras.Input((6,)), layers.Dense(12, activation="relu", name="lower"), layers.Dense(1, name="upper")]
)
model.compile("adamw", "mse")
model.get_layer("lower").trainable = False
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
