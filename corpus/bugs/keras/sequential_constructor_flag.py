"""Feature extraction with a convolutional backbone."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(110)
rng = np.random.default_rng(110)
images = rng.random((96, 14, 14, 3), dtype="float32")
labels = rng.integers(0, 3, 96)

backbone = keras.Sequential(
    [
        keras.Input((14, 14, 3)),
        layers.Conv2D(8, 3, strides=2, activation="relu", name="backbone_conv"),
        layers.GlobalMaxPooling2D(),
    ],
    trainable=False,
    name="backbone",
)
print("backbone is trainable:", backbone.trainable)
classifier = keras.Sequential([keras.Input((14, 14, 3)), backbone, layers.Dense(3, name="scores")], name="classifier")
classifier.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
classifier.fit(images, labels, batch_size=12, epochs=3, verbose=0)
