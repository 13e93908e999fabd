"""Tag sequences with wrapped layers, the lower two kept."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(220)
rng = np.random.default_rng(220)
x = rng.normal(size=(72, 5, 4)).astype("float32")
y = rng.integers(0, 3, (72, 5))

model = keras.Sequential(
    [
        keras.Input((5, 4)),
        layers.TimeDistributed(layers.Dense(6, activation="relu"), name="each"),
        layers.Bidirectional(layers.LSTM(6, return_sequences=True), name="both_ways"),
        layers.TimeDistributed(layers.Dense(3, activation="softmax"), name="tags"),
    ]
)
model.get_layer("each").trainable = False
model.get_layer("both_ways").trainable = False
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y, batch_size=12, epochs=4, verbose=0)
