"""Fine-tune with the batch statistics held still after the first stage."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(108)
rng = np.random.default_rng(108)
x = rng.normal(1.5, 2.0, size=(160, 8)).astype("float32")
y = x[:, :2] - x[:, 2:4]

inputs = keras.Input((8,))
norm = layers.BatchNormalization(name="norm")
outputs = layers.Dense(2, name="head")(layers.Dense(12, activation="relu", name="mix")(norm(inputs)))
model = keras.Model(inputs, outputs)
model.compile("adam", "mse")
model.fit(x, y, batch_size=16, epochs=2, verbose=0)

norm.trainable = False
model.fit(x, y, batch_size=16, epochs=2, verbose=0)
