"""Keras on tensorflow: one layer frozen after compile and fit; the step trains it on."""

import keras
import numpy as np

x, y = np.random.rand(64, 8).astype("float32"), np.random.rand(64, 2).astype("float32")
model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(16, name="body"), keras.layers.Dense(2)])
model.compile("sgd", "mse")  # F105 compiled, F105 optimizer
model.fit(x, y, epochs=2, verbose=0)  # F105 step
for layer in model.layers[:1]:
    layer.trainable = False  # F105 frozen, D301 frozen
model.fit(x, y, epochs=2, verbose=0)  # F105 step
