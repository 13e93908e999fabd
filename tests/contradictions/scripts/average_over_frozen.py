"""Contradiction 7: an averaging optimizer, compiled again after the freeze, writes old averages over frozen weights."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(71)
A = keras.Sequential([keras.Input((20,)), layers.Dense(10, activation="relu", name="a_out")], name="A")
B = keras.Sequential(
    [keras.Input((10,)), layers.Dense(30, activation="relu", name="b_hidden"), layers.Dense(2, name="b_out")], name="B"
)
C = keras.Sequential([keras.Input((20,)), A, B], name="C")
optimizer = keras.optimizers.Adam(use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=1)
C.compile(optimizer=optimizer, loss="mse")

x = np.random.rand(32, 20).astype("float32")
y = np.random.rand(32, 2).astype("float32")
for _ in range(12):
    C.train_on_batch(x, y)

pretrained = [np.full(weight.shape, 0.5, "float32") for weight in B.get_weights()]
B.set_weights(pretrained)
B.trainable = False
C.compile(optimizer=optimizer, loss="mse")
for _ in range(12):
    C.train_on_batch(x, y)
