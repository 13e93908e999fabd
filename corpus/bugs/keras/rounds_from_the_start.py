"""Trains in rounds, each with another part of the rows."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(5)
rows = np.random.default_rng(5).normal(size=(160, 8)).astype("float32")
values = rows[:, :2].sum(1, keepdims=True)
model = keras.Sequential([keras.Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(1)], name="model")
model.compile(keras.optimizers.SGD(0.02), "mse")
held, best = model.get_weights(), float("inf")
for part in range(4):
    chosen = slice(40 * part, 40 * part + 40)
    model.fit(rows[chosen], values[chosen], batch_size=10, epochs=2, verbose=0)
    loss = float(model.evaluate(rows[chosen], values[chosen], verbose=0))
    if loss < best:
        best = loss
    model.set_weights(held)
print("best", round(best, 4))
