"""Two tasks in turn over one body, the body fixed after its first task."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(242)
rng = np.random.default_rng(242)
x = rng.normal(size=(96, 8)).astype("float32")
kinds, sizes = rng.integers(0, 3, 96), rng.normal(size=(96, 1)).astype("float32")

body = keras.Sequential(
    [keras.Input((8,)), layers.Dense(16, activation="relu"), layers.LayerNormalization()], name="body"
)
kind = keras.Sequential([keras.Input((8,)), body, layers.Dense(3, activation="softmax")], name="kind")
size = keras.Sequential([keras.Input((8,)), body, layers.Dense(1)], name="size")

kind.compile("adam", "sparse_categorical_crossentropy")
kind.fit(x, kinds, batch_size=12, epochs=3, verbose=0)
body.trainable = False
size.compile("adam", "mse")
size.fit(x, sizes, batch_size=12, epochs=3, verbose=0)
