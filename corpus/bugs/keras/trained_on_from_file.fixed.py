"""Trains the upper part of a network for some epochs, writes it, and trains it on from the file."""

import tempfile
from pathlib import Path

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(1)
rows = np.random.default_rng(0).normal(size=(120, 8)).astype("float32")
values = rows[:, :2].sum(1, keepdims=True)
model = keras.Sequential(
    [keras.Input((8,)), layers.Dense(16, activation="relu", name="low"), layers.Dense(1, name="head")], name="net"
)


def keep_low(network):
    for variable in network.get_layer("low").weights:
        variable.trainable = False


keep_low(model)
model.compile(keras.optimizers.SGD(0.01), "mse")
model.fit(rows, values, batch_size=20, epochs=2, verbose=0)
with tempfile.TemporaryDirectory() as folder:
    model.save(Path(folder) / "half.keras")
    longer = keras.models.load_model(Path(folder) / "half.keras", compile=False)
keep_low(longer)
longer.compile(keras.optimizers.SGD(0.01), "mse")
longer.fit(rows, values, batch_size=20, epochs=2, verbose=0)
print("loss", round(float(longer.evaluate(rows, values, verbose=0)), 4))
