"""Keras on jax: a callback shrinks the weights of a frozen layer; what assigns is seen from the second time on."""

import keras
import numpy as np

x, y = np.random.rand(64, 8).astype("float32"), np.random.rand(64, 2).astype("float32")
model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(16, name="body"), keras.layers.Dense(2)])
model.get_layer("body").trainable = False  # F101 frozen
model.compile("sgd", "mse")


class Shrink(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        kernel = self.model.get_layer("body").kernel
        kernel.assign(kernel * 0.9)  # F101 written


model.fit(x, y, epochs=6, verbose=0, callbacks=[Shrink()])
