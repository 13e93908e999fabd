"""Stop training the stem once it has settled, from a callback."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(106)
rng = np.random.default_rng(106)
x = rng.normal(size=(160, 9)).astype("float32")
y = (x[:, :3] * x[:, 3:6]).sum(1, keepdims=True).astype("float32")


class SettleStem(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            self.model.get_layer("stem").trainable = False


model = keras.Sequential(
    [
        keras.Input((9,)),
        layers.Dense(20, activation="tanh", name="stem"),
        layers.Dense(20, activation="tanh", name="body"),
        layers.Dense(1, name="head"),
    ]
)
model.compile("rmsprop", "mse")
model.fit(x, y, batch_size=16, epochs=5, verbose=0, callbacks=[SettleStem()])
