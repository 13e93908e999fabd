"""Standardise a table from its own statistics, then fit."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(226)
rng = np.random.default_rng(226)
table = rng.normal(50.0, 12.0, size=(150, 6)).astype("float32")
target = (table[:, :1] / 50.0 - 1.0).astype("float32")

scale = layers.Normalization()
scale.adapt(table)
model = keras.Sequential([keras.Input((6,)), scale, layers.Dense(12, activation="relu"), layers.Dense(1)])
model.compile("adam", "mse")
model.fit(table, target, batch_size=15, epochs=3, verbose=0)
