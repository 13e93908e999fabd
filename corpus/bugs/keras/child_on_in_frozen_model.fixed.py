"""Fine-tune with a fixed base."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(114)
rng = np.random.default_rng(114)
x = rng.normal(size=(160, 10)).astype("float32")
y = rng.integers(0, 3, 160)

inputs = keras.Input((10,))
hidden = inputs
for index in (1, 2, 3):
    hidden = layers.Dense(14, activation="relu", name=f"block{index}")(hidden)
base = keras.Model(inputs, hidden, name="base")

for layer in base.layers:
    layer.trainable = layer.name == "block3"

outer = keras.Input((10,))
model = keras.Model(outer, layers.Dense(3, activation="softmax", name="head")(base(outer)))
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y, batch_size=16, epochs=3, verbose=0)
print("base is trainable:", base.trainable)
