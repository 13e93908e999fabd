"""Keep the first stage of a deep network, train the others."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(130)
rng = np.random.default_rng(130)
x = rng.normal(size=(100, 6)).astype("float32")
y = rng.normal(size=(100, 1)).astype("float32")

model = keras.Sequential([keras.Input((6,), name="signal")], name="deep")
for index in range(1, 12):
    model.add(layers.Dense(10, activation="tanh", name=f"stage_{index}"))
model.add(layers.Dense(1, name="readout"))

for layer in model.layers:
    if layer.name == "stage_1":
        layer.trainable = False
model.compile("adam", "mse")
model.fit(x, y, batch_size=10, epochs=3, verbose=0)
