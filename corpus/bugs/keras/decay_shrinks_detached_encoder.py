"""Predict from stable features: the loss is not to reach the encoder through the readout."""

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(140)
rng = np.random.default_rng(140)
x = rng.normal(size=(120, 8)).astype("float32")
y = rng.normal(size=(120, 1)).astype("float32")

inputs = keras.Input((8,))
features = layers.Dense(16, activation="tanh", name="encoder")(inputs)
outputs = layers.Dense(1, name="readout")(ops.stop_gradient(features))
model = keras.Model(inputs, outputs)
model.compile(keras.optimizers.AdamW(1e-2, weight_decay=0.1), "mse")
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
print("encoder's norm", float(ops.norm(model.get_layer("encoder").kernel)))
