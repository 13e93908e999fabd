"""Train with exponential averages of the weights; some are fixed from the start."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(209)
rng = np.random.default_rng(209)
x = rng.normal(size=(128, 7)).astype("float32")
y = rng.normal(size=(128, 1)).astype("float32")

model = keras.Sequential(
    [keras.Input((7,)), layers.Dense(14, activation="relu", name="lower"), layers.Dense(1, name="upper")]
)
model.get_layer("lower").trainable = False
model.compile(keras.optimizers.Adam(1e-2, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=8), "mse")
model.fit(x, y, batch_size=16, epochs=4, verbose=0)
