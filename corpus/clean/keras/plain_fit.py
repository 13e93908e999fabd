"""Classify points by the quadrant they fall in."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(201)
rng = np.random.default_rng(201)
x = rng.normal(size=(240, 2)).astype("float32")
y = (x[:, 0] > 0) * 2 + (x[:, 1] > 0)

model = keras.Sequential(
    [keras.Input((2,)), layers.Dense(16, activation="tanh"), layers.Dropout(0.1), layers.Dense(4, activation="softmax")]
)
model.summary()
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_split=0.2, batch_size=16, epochs=4, verbose=2)
print(model.evaluate(x, y, verbose=0))
