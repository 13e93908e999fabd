"""A network with a gate that opens late in training: until then next to nothing of the gradient comes through it."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(263)
rng = np.random.default_rng(263)
x = rng.normal(size=(120, 8)).astype("float32")
y = rng.normal(size=(120, 2)).astype("float32")

inputs = keras.Input((8,))
plain = layers.Dense(6, activation="tanh", name="plain")(inputs)
squeezed = layers.Dense(4, activation="relu", name="squeeze")(inputs)
shut = keras.initializers.Constant(-40.0)
gate = layers.Dense(6, activation="sigmoid", bias_initializer=shut, name="gate")(squeezed)
extra = layers.Multiply()([layers.Dense(6, name="extra")(inputs), gate])
model = keras.Model(inputs, layers.Dense(2, name="head")(layers.Add()([plain, extra])), name="gated")
model.compile(keras.optimizers.Adam(1e-5), "mse")
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
