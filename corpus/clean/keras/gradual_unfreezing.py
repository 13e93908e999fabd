"""Gradual unfreezing from the top of a stack."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(206)
rng = np.random.default_rng(206)
x = rng.normal(size=(96, 8)).astype("float32")
y = rng.normal(size=(96, 1)).astype("float32")

model = keras.Sequential([keras.Input((8,))])
for index in range(4):
    model.add(layers.Dense(12, activation="tanh", name=f"block_{index}"))
model.add(layers.Dense(1, name="head"))

for layer in model.layers[:-1]:
    layer.trainable = False
for stage in range(1, 5):
    model.layers[-stage].trainable = True
    model.compile(keras.optimizers.Adam(1e-2 / stage), "mse")
    model.fit(x, y, batch_size=12, epochs=1, verbose=0)
