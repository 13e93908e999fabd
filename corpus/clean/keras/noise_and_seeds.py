"""Augment, add noise, drop, and classify."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(225)
rng = np.random.default_rng(225)
images = rng.random((96, 10, 10, 1), dtype="float32")
labels = rng.integers(0, 2, 96)

stem = keras.Sequential(
    [
        keras.Input((10, 10, 1)),
        layers.RandomFlip("horizontal", seed=1),
        layers.GaussianNoise(0.05, seed=2),
        layers.Conv2D(4, 3, activation="relu", name="stem_conv"),
        layers.SpatialDropout2D(0.2, seed=3),
    ],
    name="stem",
)
stem.trainable = False
model = keras.Sequential(
    [
        keras.Input((10, 10, 1)),
        stem,
        layers.Flatten(),
        layers.Dropout(0.3, seed=4),
        layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile("adam", "binary_crossentropy", metrics=["accuracy", keras.metrics.AUC()])
model.fit(images, labels, batch_size=12, epochs=3, verbose=0)
