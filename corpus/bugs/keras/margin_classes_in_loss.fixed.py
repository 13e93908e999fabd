"""Embeddings trained by a softmax over their angles to one vector for each class."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(471)
rng = np.random.default_rng(471)
x = rng.normal(size=(120, 8)).astype("float32")
y = rng.integers(0, 10, 120)


class AngularSoftmax(keras.losses.Loss):
    def call(self, labels, cosines):
        return keras.losses.sparse_categorical_crossentropy(labels, 8 * cosines, from_logits=True)


model = keras.Sequential(
    [
        keras.Input((8,)),
        layers.Dense(16, activation="tanh", name="body"),
        layers.Dense(12, name="embedding"),
        layers.UnitNormalization(),
        layers.Dense(10, use_bias=False, name="classes"),
    ],
    name="model",
)
model.compile("adam", AngularSoftmax())
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
