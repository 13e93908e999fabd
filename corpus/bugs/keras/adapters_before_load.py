"""A classifier trained on one site is adapted to another with small matrices beside its kernels."""

import tempfile
from pathlib import Path

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(421)
rng = np.random.default_rng(421)
x = rng.normal(size=(120, 8)).astype("float32")
y = rng.integers(0, 3, 120)


def classifier():
    return keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(16, activation="tanh", name="first"),
            layers.Dense(16, activation="tanh", name="second"),
            layers.Dense(3, name="head"),
        ],
        name="model",
    )


loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "first_site.weights.h5"
    first = classifier()
    first.compile("adam", loss)
    first.fit(x, y, batch_size=12, epochs=2, verbose=0)
    first.save_weights(file)

    model = classifier()
    for name in ("first", "second"):
        model.get_layer(name).enable_lora(2)
    model.load_weights(file)

model.compile("adam", loss)
model.fit(x, y[::-1], batch_size=12, epochs=3, verbose=0)
