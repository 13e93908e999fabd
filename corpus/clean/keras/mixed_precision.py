"""Train under a mixed precision policy."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(211)
keras.mixed_precision.set_global_policy("mixed_bfloat16")
rng = np.random.default_rng(211)
x = rng.normal(size=(128, 12)).astype("float32")
y = rng.integers(0, 3, 128)

model = keras.Sequential(
    [
        keras.Input((12,)),
        layers.Dense(24, activation="relu"),
        layers.LayerNormalization(),
        layers.Dense(3, activation="softmax", dtype="float32"),
    ]
)
model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(1e-2)), "sparse_categorical_crossentropy")
model.fit(x, y, batch_size=16, epochs=3, verbose=0)
