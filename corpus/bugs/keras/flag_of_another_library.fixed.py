"""Trains a head on a block that is to stay as it is."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(22)
rows = np.random.default_rng(22).normal(size=(120, 8)).astype("float32")
values = rows[:, :2].sum(1, keepdims=True)
model = keras.Sequential(
    [keras.Input((8,)), layers.Dense(16, activation="relu", name="low"), layers.Dense(1, name="head")], name="model"
)
for layer in model.layers[:-1]:
    layer.trainable = False
model.compile(keras.optimizers.Adam(0.01), "mse")
model.fit(rows, values, batch_size=20, epochs=4, verbose=0)
print("loss", round(float(model.evaluate(rows, values, verbose=0)), 4))
