"""Keras on jax: weights of a frozen layer are set between two fits."""

import keras
import numpy as np

x, y = np.random.rand(64, 8).astype("float32"), np.random.rand(64, 2).astype("float32")
model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(16, name="body"), keras.layers.Dense(2)])
model.get_layer("body").trainable = False  # F109 frozen
model.compile("sgd", "mse")
model.fit(x, y, epochs=2, verbose=0)
model.get_layer("body").set_weights([weight + 1 for weight in model.get_layer("body").get_weights()])  # F109 loaded
model.fit(x, y, epochs=2, verbose=0)
