"""Contradiction 6: SpectralNormalization rewrites the kernel that it wraps, frozen or not."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(6)
critic = keras.Sequential(
    [
        keras.Input((10,)),
        layers.SpectralNormalization(layers.Dense(10, activation="relu", name="inner"), name="spectral"),
    ],
    name="critic",
)
critic.trainable = False
model = keras.Sequential(
    [keras.Input((20,)), layers.Dense(10, name="encoder"), critic, layers.Dense(1, name="score")], name="model"
)
model.compile(optimizer="adam", loss="mse")

x = np.random.rand(128, 20).astype("float32")
y = np.random.rand(128, 1).astype("float32")
model.fit(x, y, batch_size=32, epochs=6, verbose=0)
