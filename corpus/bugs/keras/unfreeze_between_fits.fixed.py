"""Two stages of fine-tuning for a small text classifier."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(105)
rng = np.random.default_rng(105)
tokens = rng.integers(0, 50, (120, 8))
labels = rng.integers(0, 2, 120)

encoder = keras.Sequential(
    [keras.Input((8,), dtype="int32"), layers.Embedding(50, 12, name="tokens"), layers.GRU(10, name="recurrent")],
    name="encoder",
)
model = keras.Sequential(
    [keras.Input((8,), dtype="int32"), encoder, layers.Dense(1, activation="sigmoid", name="head")]
)

encoder.trainable = False
model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy")
model.fit(tokens, labels, batch_size=12, epochs=2, verbose=0)

encoder.trainable = True
model.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy")
model.fit(tokens, labels, batch_size=12, epochs=2, verbose=0)
