"""Contradiction 1, functional: ``Model(inputs, outputs, trainable=False)`` inside an outer model."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(12)
inputs = keras.Input((10,))
hidden = layers.Dense(100, activation="relu", name="b_hidden")(inputs)
B = keras.Model(inputs, layers.Dense(10, activation="softmax", name="b_out")(hidden), trainable=False, name="B")

images = keras.Input((784,))
A = layers.Dense(10, activation="relu", name="a_out")(layers.Dense(32, activation="relu", name="a_hidden")(images))
C = keras.Model(images, B(A), name="C")
C.compile(optimizer="adam", loss="categorical_crossentropy")
B.summary()
C.summary()

x = np.random.rand(128, 784).astype("float32")
y = keras.utils.to_categorical(np.random.randint(0, 10, 128), 10)
C.fit(x, y, batch_size=32, epochs=5, verbose=0)
