"""Two targets, weighed by an uncertainty that is learned for each."""

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(311)
rng = np.random.default_rng(311)
x = rng.normal(size=(120, 8)).astype("float32")
y = rng.normal(size=(120, 2)).astype("float32")


def weighed_by_uncertainty():
    log_variance = keras.Variable(np.zeros(2, "float32"), name="log_variance")

    def loss(target, prediction):
        return ops.mean(ops.exp(-log_variance) * ops.square(target - prediction) + log_variance)

    return loss


model = keras.Sequential(
    [keras.Input((8,)), layers.Dense(12, activation="tanh", name="body"), layers.Dense(2, name="head")], name="model"
)
model.compile("adam", weighed_by_uncertainty())
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
