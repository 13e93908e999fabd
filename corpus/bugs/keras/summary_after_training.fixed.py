"""Classify small images; print the model before and after training."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(101)
rng = np.random.default_rng(101)
images = rng.random((160, 12, 12, 1), dtype="float32")
labels = rng.integers(0, 4, 160)

model = keras.Sequential(
    [
        keras.Input((12, 12, 1)),
        layers.Conv2D(6, 3, activation="relu", name="conv"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(4, name="logits"),
    ]
)
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.summary()
model.fit(images, labels, batch_size=16, epochs=3, verbose=0)
print("after training:", model.count_params(), "parameters")
