"""Two tasks on one body, with their own losses and weights."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(223)
rng = np.random.default_rng(223)
x = rng.normal(size=(96, 6)).astype("float32")
targets = {"kind": rng.integers(0, 3, 96), "size": rng.normal(size=(96, 1)).astype("float32")}

inputs = keras.Input((6,))
body = layers.Dense(16, activation="relu", name="body")(inputs)
outputs = {
    "kind": layers.Dense(3, activation="softmax", name="kind")(body),
    "size": layers.Dense(1, name="size")(body),
}
model = keras.Model(inputs, outputs)
losses = {"kind": "sparse_categorical_crossentropy", "size": "mae"}
model.compile("adam", losses, loss_weights={"kind": 1.0, "size": 0.3}, metrics={"kind": ["accuracy"]})
model.fit(x, targets, batch_size=12, epochs=3, verbose=0)
print(model.evaluate(x, targets, verbose=0, return_dict=True))
