"""Trains a head on a frozen base, then unfreezes the base and goes on, as the tutorials do."""

import keras
import numpy as np

keras.utils.set_random_seed(0)
base = keras.Sequential([keras.Input((16,)), keras.layers.Dense(32, activation="relu", name="hidden")], name="base")
model = keras.Sequential([keras.Input((16,)), base, keras.layers.Dense(2, name="head")], name="model")
inputs, labels = np.random.rand(128, 16), np.random.randint(0, 2, 128)

base.trainable = False
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(inputs, labels, epochs=2, verbose=0)

base.trainable = True
model.summary()
model.fit(inputs, labels, epochs=2, verbose=0)
