"""A gated mixture: each input takes its best expert by a fixed rule of the data."""

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(235)
rng = np.random.default_rng(235)
x = np.abs(rng.normal(size=(120, 6))).astype("float32")
y = rng.normal(size=(120, 2)).astype("float32")


class Mixture(layers.Layer):
    def __init__(self, experts):
        super().__init__(name="mixture")
        self.experts = [layers.Dense(2, name=f"expert_{index}") for index in range(experts)]
        self.gate = layers.Dense(experts, activation="softmax", name="gate")

    def call(self, inputs):
        weights = self.gate(inputs)
        answers = ops.stack([expert(inputs) for expert in self.experts], axis=1)
        kept = ops.where(weights >= ops.max(weights, axis=1, keepdims=True), weights, 0.0)
        return ops.sum(ops.expand_dims(kept, 2) * answers, axis=1)


inputs = keras.Input((6,))
model = keras.Model(inputs, Mixture(6)(inputs))
model.compile(keras.optimizers.SGD(0.01), "mse")
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
