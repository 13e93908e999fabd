"""On the jax backend a flag flipped by a callback ends fit in an exception that leaves no weights behind."""

import keras
import numpy as np


class Flip(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            model.layers[0].trainable = False


model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="inner"), keras.layers.Dense(1, name="outer")])
model.compile("adam", "mse")
model.fit(np.ones((8, 4)), np.ones((8, 1)), batch_size=4, epochs=3, verbose=0, callbacks=[Flip()])
