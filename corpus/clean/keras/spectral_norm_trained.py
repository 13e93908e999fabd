"""A critic with spectral normalisation, max-norm weights, and unit-norm rows, all trained."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(234)
rng = np.random.default_rng(234)
x = rng.normal(size=(120, 7)).astype("float32")
y = rng.normal(size=(120, 1)).astype("float32")

model = keras.Sequential(
    [
        keras.Input((7,)),
        layers.SpectralNormalization(layers.Dense(12, activation="relu")),
        layers.Dense(12, activation="relu", kernel_constraint=keras.constraints.MaxNorm(1.0)),
        layers.Dense(1, kernel_constraint=keras.constraints.UnitNorm(), kernel_regularizer="l2"),
    ]
)
model.compile("adam", "mse")
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
