"""Keras on tensorflow: unfrozen after compile and fit, and fitted again."""

import keras
import numpy as np

x, y = np.random.rand(64, 8).astype("float32"), np.random.rand(64, 2).astype("float32")
backbone = keras.Sequential([keras.Input((8,)), keras.layers.Dense(16, activation="relu")])
model = keras.Sequential([keras.Input((8,)), backbone, keras.layers.Dense(2)])
backbone.trainable = False  # D301 frozen
optimizer = keras.optimizers.Adam(1e-2)  # T209 optimizer
model.compile(optimizer, "mse")  # T209 compiled
model.fit(x, y, epochs=3, verbose=0)  # T209 step
backbone.trainable = True  # T209 unfrozen, D301 unfrozen
model.fit(x, y, epochs=3, verbose=0)  # T209 step
