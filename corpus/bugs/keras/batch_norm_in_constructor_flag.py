"""A normalised feature extractor, used as it is, and a regressor on top."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(116)
rng = np.random.default_rng(116)
x = rng.normal(3.0, 2.0, size=(144, 9)).astype("float32")
y = x.mean(1, keepdims=True)

extractor = keras.Sequential(
    [
        keras.Input((9,)),
        layers.BatchNormalization(name="standardise"),
        layers.Dense(12, activation="relu", name="embed"),
    ],
    trainable=False,
    name="extractor",
)
model = keras.Sequential([keras.Input((9,)), extractor, layers.Dense(1, name="regress")])
model.compile("adam", "mae")
model.fit(x, y, batch_size=12, epochs=2, verbose=0)
