"""Transfer learning with a fixed base."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(147)
rng = np.random.default_rng(147)
x = rng.normal(size=(120, 8)).astype("float32")
y = rng.integers(0, 2, 120)

base = keras.Sequential([keras.Input((8,)), layers.Dense(16, activation="relu", name="base_dense")], name="base")
for layer in base.layers:
    layer.trainble = False

model = keras.Sequential([keras.Input((8,)), base, layers.Dense(1, activation="sigmoid", name="head")])
model.compile("adam", "binary_crossentropy")
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
