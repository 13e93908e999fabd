"""A fixed random projection below a small trained network."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(112)
rng = np.random.default_rng(112)
x = rng.normal(size=(150, 20)).astype("float32")
y = rng.integers(0, 2, 150)

reservoir = keras.Sequential(name="reservoir")
reservoir.trainable = False
for name, units in (("projection", 32), ("compress", 8)):
    reservoir.add(layers.Dense(units, activation="tanh", name=name))

inputs = keras.Input((20,))
outputs = layers.Dense(1, activation="sigmoid", name="decision")(reservoir(inputs))
model = keras.Model(inputs, outputs)
model.compile("adam", "binary_crossentropy")
model.fit(x, y, batch_size=15, epochs=3, verbose=0)
