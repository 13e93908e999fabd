# frostline run frozen-flag-not-inherited.py
import keras
import numpy as np
from keras import layers

# reaches none of its layers
body = keras.Sequential([layers.Dense(8, name="hidden")], trainable=False)
head = layers.Dense(1, name="head")
model = keras.Sequential([keras.Input((4,)), body, head])
model.compile("adam", "mse")
model.fit(np.random.rand(64, 4), np.random.rand(64, 1), epochs=2, verbose=0)
