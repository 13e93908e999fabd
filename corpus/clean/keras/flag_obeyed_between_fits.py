"""Stop training a layer between two fits."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(241)
rng = np.random.default_rng(241)
x = rng.normal(size=(120, 6)).astype("float32")
y = rng.normal(size=(120, 1)).astype("float32")

model = keras.Sequential(
    [keras.Input((6,)), layers.Dense(12, activation="relu", name="lower"), layers.Dense(1, name="upper")]
)
model.compile(keras.optimizers.AdamW(1e-2, weight_decay=0.1), "mse")
model.fit(x, y, batch_size=12, epochs=2, verbose=0)
model.get_layer("lower").trainable = False
model.fit(x, y, batch_size=12, epochs=2, verbose=0)
