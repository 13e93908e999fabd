"""Fixed features with batch normalisation inside, trained head."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(208)
rng = np.random.default_rng(208)
x = rng.normal(2.0, 3.0, size=(160, 10)).astype("float32")
y = rng.normal(size=(160, 2)).astype("float32")

backbone = keras.Sequential(
    [keras.Input((10,)), layers.Dense(20), layers.BatchNormalization(), layers.Activation("gelu")], name="backbone"
)
backbone.compile("adam", "mse")
backbone.fit(x, rng.normal(size=(160, 20)), batch_size=16, epochs=1, verbose=0)

backbone.trainable = False
model = keras.Sequential([keras.Input((10,)), backbone, layers.Dense(2)])
model.compile("adam", "mse")
model.fit(x, y, batch_size=16, epochs=3, verbose=0)
