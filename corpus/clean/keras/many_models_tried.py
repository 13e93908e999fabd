"""A search over widths and rates: every model is made, trained, judged and dropped."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(161)
rng = np.random.default_rng(161)
x = rng.normal(size=(96, 8)).astype("float32")
y = rng.normal(size=(96, 2)).astype("float32")


def build(width, rate):
    model = keras.Sequential([keras.Input((8,)), layers.Dense(width, activation="relu"), layers.Dense(2)])
    model.compile(keras.optimizers.Adam(rate), "mse")
    return model


tried = {}
for width in (4, 8):
    for rate in (1e-2, 1e-3):
        keras.backend.clear_session()
        model = build(width, rate)
        history = model.fit(x, y, batch_size=12, epochs=1, validation_split=0.25, verbose=0)
        tried[width, rate] = history.history["val_loss"][-1]

best = build(*min(tried, key=tried.get))
best.fit(x, y, batch_size=12, epochs=3, verbose=0)
