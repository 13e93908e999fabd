"""Accumulate gradients over eight batches."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(224)
rng = np.random.default_rng(224)
x = rng.normal(size=(128, 5)).astype("float32")
y = rng.normal(size=(128, 1)).astype("float32")

model = keras.Sequential([keras.Input((5,)), layers.Dense(12, activation="relu"), layers.Dense(1)])
model.compile(keras.optimizers.Adam(1e-2, gradient_accumulation_steps=8), "mse")
model.fit(x, y, batch_size=4, epochs=1, verbose=0)
