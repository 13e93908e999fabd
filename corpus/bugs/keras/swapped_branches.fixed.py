"""Alternate between the halves of a network."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(125)
rng = np.random.default_rng(125)
x = rng.normal(size=(96, 9)).astype("float32")
y = np.tanh(x[:, ::-1])

model = keras.Sequential(
    [keras.Input((9,)), layers.Dense(9, activation="tanh", name="early"), layers.Dense(9, name="late")]
)
early, late = model.layers
early.trainable = False
model.compile(keras.optimizers.Adam(3e-3), "mse")
model.fit(x, y, batch_size=12, epochs=2, verbose=0)

early.trainable, late.trainable = True, False
model.compile(keras.optimizers.Adam(3e-3), "mse")
model.fit(x, y, batch_size=12, epochs=2, verbose=0)
