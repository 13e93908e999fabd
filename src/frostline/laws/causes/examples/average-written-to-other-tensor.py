# KERAS_BACKEND=tensorflow frostline run average-written-to-other-tensor.py
import keras
import numpy as np
from keras import layers

first = layers.Dense(4, name="first")
second = layers.Dense(4, name="second")
model = keras.Sequential([keras.Input((4,)), first, second])
optimizer = keras.optimizers.Adam(use_ema=True, ema_momentum=0.9)
model.compile(optimizer, "mse")
x = np.random.rand(64, 4).astype("float32")
model.fit(x, x, epochs=2, verbose=0)
first.trainable = False
# the averages are still two pairs, matched by position
model.compile(optimizer, "mse")
model.fit(x, x, epochs=2, verbose=0)
