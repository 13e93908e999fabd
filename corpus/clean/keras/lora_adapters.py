"""Adapt a trained network with low-rank adapters."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(210)
rng = np.random.default_rng(210)
tokens = rng.integers(0, 40, (96, 6))
labels = rng.integers(0, 3, 96)

model = keras.Sequential(
    [
        keras.Input((6,), dtype="int32"),
        layers.Embedding(40, 16, name="tokens"),
        layers.GlobalAveragePooling1D(),
        layers.Dense(16, activation="relu", name="mix"),
        layers.Dense(3, activation="softmax", name="head"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(tokens, labels, batch_size=12, epochs=1, verbose=0)

model.get_layer("tokens").enable_lora(2)
model.get_layer("mix").enable_lora(2)
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(tokens, labels, batch_size=12, epochs=3, verbose=0)
