"""A residual block whose width is known only when it is built; the block is kept fixed."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(115)
rng = np.random.default_rng(115)
x = rng.normal(size=(120, 12)).astype("float32")
y = rng.normal(size=(120, 1)).astype("float32")


class Residual(layers.Layer):
    def build(self, input_shape):
        self.widen = layers.Dense(24, activation="relu", name="block_in")
        self.narrow = layers.Dense(input_shape[-1], name="block_out")
        self.widen.build(input_shape)
        self.narrow.build((None, 24))

    def call(self, inputs):
        return inputs + self.narrow(self.widen(inputs))


block = Residual(name="residual")
block.trainable = False
inputs = keras.Input((12,))
model = keras.Model(inputs, layers.Dense(1, name="readout")(block(inputs)))
model.compile(keras.optimizers.Adam(1e-2), "mse")
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
