"""Five levels of nesting; the innermost is kept."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(218)
rng = np.random.default_rng(218)
x = rng.normal(size=(120, 6)).astype("float32")
y = rng.normal(size=(120, 6)).astype("float32")

model = keras.Sequential([keras.Input((6,)), layers.Dense(6, activation="tanh", name="core")], name="level_0")
model.trainable = False
for level in range(1, 6):
    inner = model
    inputs = keras.Input((6,))
    outputs = layers.Add()([inputs, layers.Dense(6, activation="tanh", name=f"around_{level}")(inner(inputs))])
    model = keras.Model(inputs, outputs, name=f"level_{level}")
model.compile("adam", "mse")
model.summary(expand_nested=True)
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
