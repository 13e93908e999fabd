"""Two targets, weighed by an uncertainty that is learned for each."""

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(311)
rng = np.random.default_rng(311)
x = rng.normal(size=(120, 8)).astype("float32")
y = rng.normal(size=(120, 2)).astype("float32")


class Uncertainty(layers.Layer):
    def __init__(self):
        super().__init__(name="uncertainty")
        self.log_variance = self.add_weight(shape=(2,), initializer="zeros", name="log_variance")

    def call(self, inputs):
        return inputs


def weighed_by_uncertainty(log_variance):
    def loss(target, prediction):
        return ops.mean(ops.exp(-log_variance) * ops.square(target - prediction) + log_variance)

    return loss


uncertainty = Uncertainty()
model = keras.Sequential(
    [keras.Input((8,)), layers.Dense(12, activation="tanh", name="body"), layers.Dense(2, name="head"), uncertainty],
    name="model",
)
model.compile("adam", weighed_by_uncertainty(uncertainty.log_variance))
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
