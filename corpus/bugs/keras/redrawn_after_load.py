"""Continues from the weights of an earlier stage, with one layer kept as it was."""

import tempfile
from pathlib import Path

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(14)
rows = np.random.default_rng(14).normal(size=(160, 8)).astype("float32")
values = rows[:, :2].sum(1, keepdims=True)


def network():
    return keras.Sequential(
        [keras.Input((8,)), layers.Dense(16, activation="tanh", name="low"), layers.Dense(1, name="head")], name="model"
    )


def initialise(model):
    """Draw the weights of all layers from a narrow distribution."""
    draw = keras.initializers.RandomNormal(stddev=0.05, seed=3)
    for layer in model.layers:
        layer.kernel.assign(draw(layer.kernel.shape))


with tempfile.TemporaryDirectory() as folder:
    place = Path(folder) / "stage.weights.h5"
    earlier = network()
    earlier.compile(keras.optimizers.Adam(0.01), "mse")
    earlier.fit(rows, values, batch_size=20, epochs=1, verbose=0)
    earlier.save_weights(place)
    model = network()
    model.load_weights(place)
    initialise(model)
model.get_layer("low").trainable = False
model.compile(keras.optimizers.Adam(0.01), "mse")
model.fit(rows, values, batch_size=20, epochs=4, verbose=0)
print("loss", round(float(model.evaluate(rows, values, verbose=0)), 4))
