"""Embeddings trained by a softmax over their angles to one vector for each class."""

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(471)
rng = np.random.default_rng(471)
x = rng.normal(size=(120, 8)).astype("float32")
y = rng.integers(0, 10, 120)


class AngularSoftmax(keras.losses.Loss):
    def __init__(self, classes, width):
        super().__init__()
        self.classes = layers.Dense(classes, use_bias=False, name="classes")
        self.classes.build((None, width))

    def call(self, labels, embedded):
        cosines = self.classes(ops.normalize(embedded, axis=-1))
        return keras.losses.sparse_categorical_crossentropy(labels, 8 * cosines, from_logits=True)


model = keras.Sequential(
    [keras.Input((8,)), layers.Dense(16, activation="tanh", name="body"), layers.Dense(12, name="embedding")],
    name="model",
)
model.compile("adam", AngularSoftmax(10, 12))
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
