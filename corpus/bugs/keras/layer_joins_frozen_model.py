"""Reuse an encoder, with one more layer that brings it to the right width."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(113)
rng = np.random.default_rng(113)
x = rng.normal(size=(160, 16)).astype("float32")
y = rng.normal(size=(160, 4)).astype("float32")

encoder = keras.Sequential(
    [keras.Input((16,)), layers.Dense(32, activation="relu", name="expand"), layers.LayerNormalization(name="level")],
    name="encoder",
)
encoder.trainable = False
encoder.add(layers.Dense(8, name="squeeze"))

decoder = keras.Sequential([keras.Input((8,)), layers.Dense(4, name="decode")], name="decoder")
model = keras.Sequential([keras.Input((16,)), encoder, decoder])
model.compile("adamw", "mse")
model.fit(x, y, batch_size=16, epochs=3, verbose=0)
encoder.summary()
