"""A small regression whose optimizer gathers gradients, by a setting taken over from a larger data set."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(269)
rng = np.random.default_rng(269)
x = rng.normal(size=(96, 5)).astype("float32")
y = rng.normal(size=(96, 1)).astype("float32")

model = keras.Sequential([keras.Input((5,)), layers.Dense(12, activation="relu"), layers.Dense(1)])
model.compile(keras.optimizers.Adam(1e-2, gradient_accumulation_steps=4), "mse")
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
