"""Trains a network, takes half of its smallest weights out, and trains what is left."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(1)
rows = np.random.default_rng(0).normal(size=(120, 8)).astype("float32")
values = rows[:, :2].sum(1, keepdims=True)


class Kept(keras.constraints.Constraint):
    def __init__(self, mask):
        self.mask = mask

    def __call__(self, weight):
        return weight * self.mask


model = keras.Sequential(
    [keras.Input((8,)), layers.Dense(16, activation="relu", name="low"), layers.Dense(1, name="head")], name="net"
)
model.compile(keras.optimizers.Adam(0.01), "mse")
model.fit(rows, values, batch_size=20, epochs=2, verbose=0)
layer = model.get_layer("low")
kernel, bias = layer.get_weights()
mask = (abs(kernel) >= np.median(abs(kernel))).astype("float32")
layer.set_weights([kernel * mask, bias])
layer.kernel.constraint = Kept(mask)
model.compile(keras.optimizers.Adam(0.01), "mse")
model.fit(rows, values, batch_size=20, epochs=3, verbose=0)
print("weights in use", int(np.count_nonzero(layer.get_weights()[0])))
