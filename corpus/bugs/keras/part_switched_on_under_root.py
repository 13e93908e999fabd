"""Fine-tune the last layer of a network."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(133)
rng = np.random.default_rng(133)
x = rng.normal(size=(110, 5)).astype("float32")
y = rng.integers(0, 2, 110)

model = keras.Sequential(
    [
        keras.Input((5,)),
        layers.Dense(12, activation="relu", name="first"),
        layers.Dense(12, activation="relu", name="second"),
        layers.Dense(1, activation="sigmoid", name="last"),
    ]
)
model.trainable = False
for layer in model.layers[-1:]:
    layer.trainable = True
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, batch_size=11, epochs=3, verbose=0)
