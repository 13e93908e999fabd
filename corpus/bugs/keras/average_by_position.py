"""Two equal branches in a row; the left one is fixed after a first round."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(124)
rng = np.random.default_rng(124)
x = rng.normal(size=(128, 7)).astype("float32")
y = rng.normal(size=(128, 7)).astype("float32")

inputs = keras.Input((7,))
hidden = layers.Dense(7, use_bias=False, name="left")(inputs)
outputs = layers.Dense(7, use_bias=False, name="right")(layers.Activation("tanh")(hidden))
model = keras.Model(inputs, outputs)
averaged = keras.optimizers.RMSprop(1e-3, use_ema=True, ema_momentum=0.9)
model.compile(averaged, "mse")
model.fit(x, y, batch_size=16, epochs=2, verbose=0)

model.get_layer("left").trainable = False
model.compile(averaged, "mse")
model.fit(x, y, batch_size=16, epochs=2, verbose=0)
