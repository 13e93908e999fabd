"""Two-stage transfer: head first, then the whole base at a low rate, with its normalisation kept."""

import numpy as np
import tf_keras as keras
from tf_keras import layers

keras.utils.set_random_seed(131)
rng = np.random.default_rng(131)
x = rng.normal(1.0, 2.0, size=(120, 8)).astype("float32")
y = rng.integers(0, 3, 120)

base = keras.Sequential(
    [layers.Dense(16, input_shape=(8,), name="mix"), layers.BatchNormalization(name="keep_norm"), layers.ReLU()],
    name="base",
)
model = keras.Sequential([base, layers.Dense(3, activation="softmax", name="head")])

for layer in base.layers:
    if isinstance(layer, layers.BatchNormalization):
        layer.trainable = False

base.trainable = False
model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy")
model.fit(x, y, batch_size=12, epochs=2, verbose=0)

base.trainable = True
model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
model.fit(x, y, batch_size=12, epochs=2, verbose=0)
