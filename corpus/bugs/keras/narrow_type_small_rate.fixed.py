"""Fine-tune a network in a narrow type, gently."""

import keras
import numpy as np
from keras import layers

keras.config.set_dtype_policy("bfloat16")
keras.utils.set_random_seed(155)
rng = np.random.default_rng(155)
x = rng.normal(size=(96, 8)).astype("float32")
y = rng.normal(size=(96, 2)).astype("float32")

model = keras.Sequential(
    [
        keras.Input((8,)),
        layers.Dense(12, activation="tanh", use_bias=False, name="body"),
        layers.Dense(2, name="head"),
    ]
)
model.compile(keras.optimizers.SGD(0.1), "mse")
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
