"""Contradiction 3: fit, then freeze, then fit again without a compile in between."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(31)
A = keras.Sequential([keras.Input((784,)), layers.Dense(10, activation="relu", name="a_out")], name="A")
B = keras.Sequential(
    [
        keras.Input((10,)),
        layers.Dense(100, activation="relu", name="b_hidden"),
        layers.Dense(10, activation="softmax", name="b_out"),
    ],
    name="B",
)
C = keras.Sequential([keras.Input((784,)), A, B], name="C")
C.compile(optimizer="adam", loss="categorical_crossentropy")

x = np.random.rand(128, 784).astype("float32")
y = keras.utils.to_categorical(np.random.randint(0, 10, 128), 10)
C.fit(x, y, batch_size=32, epochs=5, verbose=0)

B.trainable = False
C.summary()
C.fit(x, y, batch_size=32, epochs=5, verbose=0)
