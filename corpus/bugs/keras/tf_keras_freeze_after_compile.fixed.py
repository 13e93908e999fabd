"""Train a new head on a base that was trained elsewhere."""

import numpy as np
import tf_keras as keras
from tf_keras import layers

keras.utils.set_random_seed(102)
rng = np.random.default_rng(102)
x = rng.normal(size=(200, 12)).astype("float32")
y = rng.normal(size=(200, 1)).astype("float32")

base = keras.Sequential(
    [
        layers.Dense(24, activation="tanh", input_shape=(12,), name="base_1"),
        layers.Dense(8, activation="tanh", name="base_2"),
    ],
    name="base",
)
base.compile("adam", "mse")
base.fit(x, rng.normal(size=(200, 8)), epochs=1, verbose=0)

model = keras.Sequential([base, layers.Dense(1, name="head")], name="model")
base.trainable = False
model.compile(keras.optimizers.Adam(1e-3), "mse")
model.fit(x, y, batch_size=20, epochs=4, verbose=0)
print("final loss", model.evaluate(x, y, verbose=0))
