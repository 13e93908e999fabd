"""Use a regression network as a fixed feature map below a new one."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(111)
rng = np.random.default_rng(111)
x = rng.normal(size=(200, 7)).astype("float32")
y = rng.normal(size=(200, 1)).astype("float32")


def feature_map():
    inputs = keras.Input((7,))
    hidden = layers.Dense(16, activation="swish", name="teacher_in")(inputs)
    outputs = layers.Dense(6, activation="tanh", name="teacher_out")(hidden)
    return keras.Model(inputs, outputs, name="teacher", trainable=False)


inputs = keras.Input((7,))
model = keras.Model(inputs, layers.Dense(1, name="readout")(feature_map()(inputs)), name="student")
model.compile(keras.optimizers.SGD(0.05), "mse")
model.fit(x, y, batch_size=20, epochs=3, verbose=0)
print("loss", model.evaluate(x, y, verbose=0))
