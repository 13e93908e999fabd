"""A small regression in a half-precision policy."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(153)
keras.config.set_dtype_policy("mixed_bfloat16")
rng = np.random.default_rng(153)
x = rng.normal(size=(120, 8)).astype("float32")
y = x[:, :2] * 0.5

model = keras.Sequential(
    [keras.Input((8,)), layers.Dense(16, activation="relu", use_bias=False), layers.Dense(2, use_bias=False)]
)
model.compile(keras.optimizers.Adam(1e-2), "mse")
model.fit(x, y, batch_size=12, epochs=4, verbose=0)
