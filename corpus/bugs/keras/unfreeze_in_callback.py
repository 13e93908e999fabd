"""Unfreeze the lower layer from the third epoch on."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(107)
rng = np.random.default_rng(107)
x = rng.normal(size=(128, 6)).astype("float32")
y = rng.normal(size=(128, 2)).astype("float32")

model = keras.Sequential(
    [keras.Input((6,)), layers.Dense(18, activation="gelu", name="lower"), layers.Dense(2, name="upper")]
)
model.get_layer("lower").trainable = False
model.compile("adam", "mse")


def unfreeze(epoch, logs):
    if epoch == 2:
        model.get_layer("lower").trainable = True


schedule = keras.callbacks.LambdaCallback(on_epoch_begin=unfreeze)
model.fit(x, y, batch_size=16, epochs=5, verbose=0, callbacks=[schedule])
