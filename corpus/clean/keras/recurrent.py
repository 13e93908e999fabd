"""Predict the next token; only a part of the vocabulary occurs."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(221)
rng = np.random.default_rng(221)
tokens = rng.integers(1, 30, (72, 7))

model = keras.Sequential(
    [
        keras.Input((6,), dtype="int32"),
        layers.Embedding(100, 8, mask_zero=True),
        layers.GRU(12, dropout=0.1),
        layers.Dense(100, activation="softmax"),
    ]
)
model.compile("rmsprop", "sparse_categorical_crossentropy")
model.fit(tokens[:, :-1], tokens[:, -1], batch_size=12, epochs=4, verbose=0)
