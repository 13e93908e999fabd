"""Contradiction 9: LoRA freezes a base kernel; freezing and unfreezing the model around it sets it free again."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(9)
B = keras.Sequential(
    [keras.Input((20,)), layers.Dense(30, activation="relu", name="adapted"), layers.Dense(8, name="b_out")], name="B"
)
B.layers[0].enable_lora(2)
C = keras.Sequential([keras.Input((20,)), B, layers.Dense(2, name="head")], name="C")

x = np.random.rand(128, 20).astype("float32")
y = np.random.rand(128, 2).astype("float32")

C.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse")
C.fit(x, y, batch_size=32, epochs=3, verbose=0)

B.trainable = False
C.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse")
C.fit(x, y, batch_size=32, epochs=3, verbose=0)

B.trainable = True
C.compile(optimizer=keras.optimizers.Adam(1e-4), loss="mse")
C.fit(x, y, batch_size=32, epochs=3, verbose=0)
