"""Train a decoder on top of a fixed vector quantiser."""

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(121)
rng = np.random.default_rng(121)
x = rng.normal(size=(128, 6)).astype("float32")


class Quantiser(layers.Layer):
    """Nearest codes; each code follows the mean of the inputs that chose it."""

    def build(self, input_shape):
        self.codebook = self.add_weight(
            shape=(16, input_shape[-1]), initializer="random_normal", trainable=False, name="codebook"
        )

    def call(self, inputs, training=False):
        codes = ops.convert_to_tensor(self.codebook)
        distance = ops.sum((ops.expand_dims(inputs, 1) - codes) ** 2, axis=-1)
        chosen = ops.one_hot(ops.argmin(distance, axis=-1), 16, dtype="float32")
        if training and self.trainable:
            count = ops.expand_dims(ops.sum(chosen, axis=0), 1)
            mean = ops.matmul(ops.transpose(chosen), inputs) / ops.maximum(count, 1.0)
            self.codebook.assign(ops.where(count > 0, 0.95 * codes + 0.05 * mean, codes))
        return ops.matmul(chosen, codes)


quantiser = Quantiser(name="quantiser")
quantiser.trainable = False
inputs = keras.Input((6,))
outputs = layers.Dense(6, name="decode")(quantiser(inputs))
model = keras.Model(inputs, outputs)
model.compile("adam", "mse")
model.fit(x, x, batch_size=16, epochs=3, verbose=0)
