# KERAS_BACKEND=jax frostline run optimizer-state-misaligned.py
import keras
import numpy as np
from keras import layers

first = layers.Dense(4, name="first")
second = layers.Dense(4, name="second")
model = keras.Sequential([keras.Input((4,)), first, second])
first.trainable = False
model.compile("adam", "mse")
x = np.random.rand(64, 4).astype("float32")
model.fit(x, x, epochs=2, verbose=0)
# equal shapes change places, without another compile()
first.trainable, second.trainable = True, False
model.fit(x, x, epochs=2, verbose=0)
