# frostline run never-tracked.py
import keras
import numpy as np
from keras import layers


class Parts:
    def __init__(self):
        self.hidden = layers.Dense(8, name="hidden")


class Model(keras.Model):
    def __init__(self):
        super().__init__()
        self.parts = Parts()  # a plain object: Keras does not look inside
        self.head = layers.Dense(1, name="head")

    def call(self, rows):
        return self.head(self.parts.hidden(rows))


model = Model()
model.compile("adam", "mse")
model.fit(np.random.rand(64, 4), np.random.rand(64, 1), epochs=2, verbose=0)
