"""Trains an encoder with a head, and writes what the next stage needs of both."""

import tempfile
from pathlib import Path

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(8)
rows = np.random.default_rng(8).normal(size=(120, 8)).astype("float32")
values = rows[:, :2].sum(1, keepdims=True)
inputs = keras.Input((8,))
encoder = keras.Model(inputs, layers.Dense(8, activation="tanh", name="code")(inputs), name="encoder")
model = keras.Model(inputs, layers.Dense(1, name="head")(encoder(inputs)), name="model")
model.compile(keras.optimizers.Adam(0.01), "mse")
model.fit(rows, values, batch_size=20, epochs=4, verbose=0)
with tempfile.TemporaryDirectory() as folder:
    encoder.save_weights(Path(folder) / "both.weights.h5")
print("loss", round(float(model.evaluate(rows, values, verbose=0)), 4))
