"""Train, quantise, evaluate."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(239)
rng = np.random.default_rng(239)
x = rng.normal(size=(120, 8)).astype("float32")
y = rng.integers(0, 3, 120)

model = keras.Sequential(
    [keras.Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(3, activation="softmax")]
)
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
before = model.predict(x, verbose=0)
model.quantize("int8")
print("largest difference", float(np.abs(model.predict(x, verbose=0) - before).max()))
