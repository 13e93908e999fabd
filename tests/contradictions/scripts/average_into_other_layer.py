"""Contradiction 7, by position: after the first part is frozen its average ends up in the second part."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(72)
A = keras.Sequential([keras.Input((10,)), layers.Dense(10, name="a_mix")], name="A")
B = keras.Sequential([keras.Input((10,)), layers.Dense(10, name="b_mix")], name="B")
C = keras.Sequential([keras.Input((10,)), A, B], name="C")
optimizer = keras.optimizers.Adam(use_ema=True, ema_momentum=0.9)
C.compile(optimizer=optimizer, loss="mse")

x = np.random.rand(128, 10).astype("float32")
y = np.random.rand(128, 10).astype("float32")
C.fit(x, y, batch_size=32, epochs=4, verbose=0)

A.trainable = False
C.compile(optimizer=optimizer, loss="mse")
C.fit(x, y, batch_size=32, epochs=4, verbose=0)
