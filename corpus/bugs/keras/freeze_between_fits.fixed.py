"""Train everything briefly, then only the classifier."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(104)
rng = np.random.default_rng(104)
images = rng.random((128, 10, 10, 2), dtype="float32")
labels = rng.integers(0, 5, 128)

features = keras.Sequential(
    [keras.Input((10, 10, 2)), layers.Conv2D(8, 3, activation="relu", name="features_conv"), layers.Flatten()],
    name="features",
)
model = keras.Sequential([keras.Input((10, 10, 2)), features, layers.Dense(5, name="classifier")])
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.SGD(0.05, momentum=0.9), loss)
model.fit(images, labels, batch_size=16, epochs=2, verbose=0)

features.trainable = False
model.compile(keras.optimizers.SGD(0.05, momentum=0.9), loss)
model.fit(images, labels, batch_size=16, epochs=3, verbose=0)
