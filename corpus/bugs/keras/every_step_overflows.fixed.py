"""Regression with loss scaling, as for half precision, on a table with missing values."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(144)
rng = np.random.default_rng(144)
table = rng.normal(size=(120, 5)).astype("float32")
table[::6, 2] = np.nan
table = np.nan_to_num(table)
target = rng.normal(size=(120, 1)).astype("float32")

model = keras.Sequential(
    [keras.Input((5,)), layers.Dense(16, activation="tanh", name="wide"), layers.Dense(1, name="narrow")]
)
optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(1e-2))
model.compile(optimizer, "mse")
history = model.fit(table, target, batch_size=12, epochs=3, shuffle=False, verbose=0)
print("loss", history.history["loss"])
