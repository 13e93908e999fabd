"""Evaluate with averaged weights, train with the raw ones."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(237)
rng = np.random.default_rng(237)
x = rng.normal(size=(120, 5)).astype("float32")
y = rng.normal(size=(120, 1)).astype("float32")

model = keras.Sequential(
    [keras.Input((5,)), layers.Dense(10, activation="tanh", name="kept"), layers.Dense(1, name="trained")]
)
model.get_layer("kept").trainable = False
model.compile(keras.optimizers.Adam(1e-2, use_ema=True, ema_momentum=0.9), "mse")
swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
model.fit(x, y, validation_split=0.2, batch_size=12, epochs=3, verbose=0, callbacks=[swap])
