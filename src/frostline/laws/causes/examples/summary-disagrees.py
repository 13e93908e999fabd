# frostline run summary-disagrees.py
import keras
import numpy as np
from keras import layers

hidden = layers.Dense(8, name="hidden")
head = layers.Dense(1, name="head")
body = keras.Sequential([hidden], name="body", trainable=False)
model = keras.Sequential([keras.Input((4,)), body, head])
body.summary()  # 0 trainable, and yet the outer model trains all of it
model.compile("adam", "mse")
model.fit(np.random.rand(64, 4), np.random.rand(64, 1), epochs=2, verbose=0)
