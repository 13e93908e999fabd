"""Tune an encoder against a fixed critic with spectral normalisation."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(120)
rng = np.random.default_rng(120)
signals = rng.normal(size=(96, 16)).astype("float32")

critic = keras.Sequential(
    [
        keras.Input((8, 4)),
        layers.SpectralNormalization(layers.Conv1D(6, 3, activation="relu", name="critic_conv"), name="normed"),
        layers.Flatten(),
        layers.Dense(1, name="score"),
    ],
    name="critic",
)
critic.trainable = False

encoder = keras.Sequential(
    [keras.Input((16,)), layers.Dense(32, activation="tanh", name="encode"), layers.Reshape((8, 4))], name="encoder"
)
model = keras.Sequential([keras.Input((16,)), encoder, critic])
model.compile(keras.optimizers.Adam(1e-3), "mse")
model.fit(signals, np.ones((96, 1)), batch_size=12, epochs=4, verbose=0)
