"""Load a pretrained base, keep it, and train a head."""

import pathlib
import tempfile

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(145)
rng = np.random.default_rng(145)
x = rng.normal(size=(120, 6)).astype("float32")
y = rng.normal(size=(120, 3)).astype("float32")


def base(width):
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(width, activation="tanh", use_bias=False, name="base_1"),
            layers.Dense(width, activation="tanh", use_bias=False, name="base_2"),
        ],
        name="base",
    )


with tempfile.TemporaryDirectory() as folder:
    file = pathlib.Path(folder) / "base.weights.h5"
    base(16).save_weights(file)
    pretrained = base(16)
    pretrained.load_weights(file, skip_mismatch=True)

pretrained.trainable = False
model = keras.Sequential([keras.Input((6,)), pretrained, layers.Dense(3, name="head")])
model.compile("adam", "mse")
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
