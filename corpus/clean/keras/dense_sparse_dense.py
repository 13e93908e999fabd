"""Trains a network, trains it with half of its weights held at zero, and lets all of them train again in the end."""

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
layer = model.get_layer("low")


def train(name, rate):
    model.compile(keras.optimizers.Adam(rate), "mse")
    history = model.fit(rows, values, batch_size=20, epochs=3, verbose=0)
    print(name, "loss", round(history.history["loss"][-1], 3))


train("dense", 0.01)
kernel, bias = layer.get_weights()
mask = (abs(kernel) >= np.median(abs(kernel))).astype("float32")
layer.set_weights([kernel * mask, bias])
layer.kernel.constraint = Kept(mask)
train("sparse", 0.01)
layer.kernel.constraint = None
train("dense again", 0.001)
