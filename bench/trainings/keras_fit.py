"""Keras `fit` of a ConvNet with batch normalisation on the digits of scikit-learn, on the backend of KERAS_BACKEND."""

import sys

import keras
import numpy as np
from sklearn.datasets import load_digits

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 300
keras.utils.set_random_seed(0)
digits = load_digits()
chosen = np.random.default_rng(0).integers(len(digits.images), size=64 * 100)
images = digits.images[chosen].repeat(2, axis=1).repeat(2, axis=2)[..., None].astype("float32") / 16
labels = digits.target[chosen]
model = keras.Sequential([keras.Input((16, 16, 1))])
for filters in (32, 64, 128):
    model.add(keras.layers.Conv2D(filters, 3, padding="same", use_bias=False))
    model.add(keras.layers.BatchNormalization())
    model.add(keras.layers.ReLU())
model.add(keras.layers.GlobalAveragePooling2D())
model.add(keras.layers.Dense(10))
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
history = model.fit(images, labels, batch_size=64, epochs=max(1, steps // 100), verbose=0)
print(f"loss {history.history['loss'][-1]:.6f}")
