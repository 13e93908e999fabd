# KERAS_BACKEND=tensorflow frostline run stale-compiled-step.py
import keras
import numpy as np
from keras import layers

first = layers.Dense(4, name="first")
second = layers.Dense(4, name="second")
model = keras.Sequential([keras.Input((4,)), first, second])
model.compile("adam", "mse")
x = np.random.rand(64, 4).astype("float32")
model.fit(x, x, epochs=2, verbose=0)
first.trainable = False  # without another compile()
model.fit(x, x, epochs=2, verbose=0)
