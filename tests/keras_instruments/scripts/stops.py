"""Two heads; after 20 of 64 steps the rows of one weigh nothing, or, where MENDED is set, for one epoch only."""

import os
import sys

import numpy as np

if sys.argv[1] == "tf_keras":
    import tf_keras as keras
else:
    import keras

keras.utils.set_random_seed(0)
inputs = keras.Input((8,))
hidden = keras.layers.Dense(16, activation="tanh", name="body")(inputs)
outputs = {name: keras.layers.Dense(2, name=name)(hidden) for name in ("head", "extra")}
model = keras.Model(inputs, outputs)
model.compile(keras.optimizers.SGD(0.05), loss={"head": "mse", "extra": "mse"})

rows = np.random.default_rng(0).normal(size=(32, 8)).astype("float32")
labels = {"head": rows[:, :2], "extra": rows[:, 2:4]}
for epoch in range(16):
    off = epoch == 5 if os.environ.get("MENDED") else epoch >= 5
    weights = {"head": np.ones(32, "float32"), "extra": np.full(32, 0.0 if off else 1.0, "float32")}
    model.fit(rows, labels, sample_weight=weights, batch_size=8, verbose=0)
