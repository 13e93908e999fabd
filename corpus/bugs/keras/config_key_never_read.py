"""Train a detector head as the settings say."""

import json

import keras
import numpy as np
from keras import layers

SETTINGS = json.loads('{"seed": 129, "epochs": 3, "learning_rate": 0.01, "freeze_variables": ["detector_base"]}')

keras.utils.set_random_seed(SETTINGS["seed"])
rng = np.random.default_rng(SETTINGS["seed"])
images = rng.random((96, 8, 8, 1), dtype="float32")
boxes = rng.random((96, 4), dtype="float32")

model = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        layers.Conv2D(6, 3, activation="relu", name="detector_base"),
        layers.Flatten(),
        layers.Dense(4, activation="sigmoid", name="boxes"),
    ]
)
model.compile(keras.optimizers.Adam(SETTINGS["learning_rate"]), "huber")
model.fit(images, boxes, batch_size=12, epochs=SETTINGS["epochs"], verbose=0)
