"""Contradiction 2, the other way: a layer joins B after B was frozen."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(22)
A = keras.Sequential([keras.Input((784,)), layers.Dense(10, activation="relu", name="a_out")], name="A")
B = keras.Sequential([keras.Input((10,)), layers.Dense(100, activation="relu", name="b_hidden")], name="B")
B.trainable = False
B.add(layers.Dense(10, activation="softmax", name="b_out"))

C = keras.Sequential([keras.Input((784,)), A, B], name="C")
C.compile(optimizer="adam", loss="categorical_crossentropy")
B.summary()
C.summary()

x = np.random.rand(128, 784).astype("float32")
y = keras.utils.to_categorical(np.random.randint(0, 10, 128), 10)
C.fit(x, y, batch_size=32, epochs=5, verbose=0)
