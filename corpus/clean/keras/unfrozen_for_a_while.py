"""A body is frozen, unfrozen for some epochs at a low rate, and frozen again; each time with its summary."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(31)
rng = np.random.default_rng(31)
inputs = rng.normal(size=(96, 8)).astype("float32")
targets = inputs[:, :1] * inputs[:, 1:2]

body = keras.Sequential([keras.Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(8)], name="body")
model = keras.Sequential([body, layers.Dense(1, name="head")], name="model")


def train(trainable, rate, epochs):
    body.trainable = trainable
    model.compile(keras.optimizers.Adam(rate), "mse")
    model.summary()
    model.fit(inputs, targets, epochs=epochs, batch_size=24, verbose=0)


train(True, 1e-2, 2)
train(False, 1e-3, 2)
train(True, 1e-4, 2)
train(False, 1e-3, 2)
