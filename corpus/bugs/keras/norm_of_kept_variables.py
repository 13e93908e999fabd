"""Keeps a pretrained block as it is, variable by variable, and trains a head on it."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(3)
rows = np.random.default_rng(3).normal(size=(120, 8)).astype("float32")
values = rows[:, :2].sum(1, keepdims=True)
block = keras.Sequential(
    [keras.Input((8,)), layers.Dense(16, name="low"), layers.BatchNormalization(name="norm"), layers.ReLU()],
    name="block",
)
block.compile("adam", "mse")
model = keras.Sequential([block, layers.Dense(1, name="head")], name="model")
model.build((None, 8))
for variable in block.trainable_weights:
    variable.trainable = False
model.compile(keras.optimizers.Adam(0.01), "mse")
model.fit(rows, values, batch_size=20, epochs=4, verbose=0)
print("loss", round(float(model.evaluate(rows, values, verbose=0)), 4))
