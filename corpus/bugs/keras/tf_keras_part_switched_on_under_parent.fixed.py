"""Fine-tune the last block of a base together with a new head."""

import numpy as np
import tf_keras as keras
from tf_keras import layers

keras.utils.set_random_seed(134)
rng = np.random.default_rng(134)
x = rng.normal(size=(120, 6)).astype("float32")
y = rng.normal(size=(120, 1)).astype("float32")

base = keras.Sequential(
    [
        layers.Dense(10, activation="tanh", input_shape=(6,), name="block_a"),
        layers.Dense(10, activation="tanh", name="block_b"),
    ],
    name="base",
)
for layer in base.layers[:-1]:
    layer.trainable = False
model = keras.Sequential([base, layers.Dense(1, name="head")])
model.compile("adam", "mse")
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
