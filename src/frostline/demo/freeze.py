"""A frozen model inside a model; the flag was given to the constructor."""

import keras
import numpy as np
from keras import layers

body = keras.Sequential(
    [layers.Dense(32, activation="relu", name="hidden"), layers.Dense(10, name="features")],
    name="body",
    trainable=False,
)
model = keras.Sequential([keras.Input((784,)), body, layers.Dense(10, name="head")], name="model")
body.summary()

model.compile("adam", "mse")
model.fit(np.random.rand(256, 784), np.random.rand(256, 10), epochs=3, verbose=0)
