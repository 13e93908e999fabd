"""Contradiction 1, the third way: the flag is set on an empty Sequential and the layers are added afterwards."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(13)
B = keras.Sequential(name="B")
B.trainable = False
B.add(keras.Input((10,)))
B.add(layers.Dense(100, activation="relu", name="b_hidden"))
B.add(layers.Dense(10, activation="softmax", name="b_out"))

C = keras.Sequential([keras.Input((784,)), layers.Dense(10, activation="relu", name="a_out"), B], name="C")
C.compile(optimizer="adam", loss="categorical_crossentropy")
B.summary()
C.summary()

x = np.random.rand(128, 784).astype("float32")
y = keras.utils.to_categorical(np.random.randint(0, 10, 128), 10)
C.fit(x, y, batch_size=32, epochs=5, verbose=0)
