"""Contradiction 10: the flags of two equally shaped layers change places between two fits."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(10)
A = keras.Sequential([keras.Input((10,)), layers.Dense(10, name="a_mix")], name="A")
B = keras.Sequential([keras.Input((10,)), layers.Dense(10, name="b_mix")], name="B")
C = keras.Sequential([keras.Input((10,)), A, B], name="C")
A.trainable = False
C.compile(optimizer="adam", loss="mse")

x = np.random.rand(128, 10).astype("float32")
y = np.random.rand(128, 10).astype("float32")
C.fit(x, y, batch_size=32, epochs=4, verbose=0)

A.trainable = True
B.trainable = False
C.summary()
C.fit(x, y, batch_size=32, epochs=4, verbose=0)
