"""A regressor whose pieces are kept together in a small holder object."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(143)
rng = np.random.default_rng(143)
x = rng.normal(size=(120, 7)).astype("float32")
y = rng.normal(size=(120, 1)).astype("float32")


class Parts:
    def __init__(self):
        self.stem = layers.Dense(14, activation="tanh", name="stem")
        self.neck = layers.Dense(6, activation="tanh", name="neck")


class Regressor(keras.Model):
    def __init__(self):
        super().__init__(name="regressor")
        self.parts = Parts()
        self.stem, self.neck = self.parts.stem, self.parts.neck
        self.head = layers.Dense(1, name="head")

    def call(self, inputs):
        return self.head(self.parts.neck(self.parts.stem(inputs)))


model = Regressor()
model.compile("adam", "mse")
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
print("tensors in training:", len(model.trainable_variables))
