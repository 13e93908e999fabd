"""Trains a new head on the features in front of a classifier's last layer."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(1)
classifier = keras.Sequential(
    [
        keras.Input((8,)),
        layers.Dense(16, activation="relu", name="low"),
        layers.Dense(8, activation="tanh", name="high"),
        layers.Dense(4, activation="softmax", name="classes"),
    ],
    name="classifier",
)
classifier.trainable = False
features = classifier.get_layer("high").output
model = keras.Model(classifier.inputs, layers.Dense(1, name="head")(features), name="model")
rows = np.random.default_rng(0).normal(size=(120, 8)).astype("float32")
values = rows[:, :2].sum(1, keepdims=True)
model.compile(keras.optimizers.Adam(0.01), "mse")
model.fit(rows, values, batch_size=20, epochs=4, verbose=0)
print("loss", round(float(model.evaluate(rows, values, verbose=0)), 4))
