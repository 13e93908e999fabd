"""Contradiction 5, with D trained for one batch before the flag: the GAN order of the Keras 1 and 2 era."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(5)
D = keras.Sequential(
    [
        keras.Input((784,)),
        layers.Dense(32, activation="relu", name="d_hidden"),
        layers.Dense(1, activation="sigmoid", name="d_out"),
    ],
    name="D",
)
D.compile(optimizer="adam", loss="binary_crossentropy")
G = keras.Sequential(
    [
        keras.Input((16,)),
        layers.Dense(64, activation="relu", name="g_hidden"),
        layers.Dense(784, activation="sigmoid", name="g_out"),
    ],
    name="G",
)

real = np.random.rand(64, 784).astype("float32")
D.train_on_batch(real, np.ones((64, 1)))
D.trainable = False
combined = keras.Sequential([keras.Input((16,)), G, D], name="combined")
combined.compile(optimizer="adam", loss="binary_crossentropy")
D.summary()

for _ in range(10):
    noise = np.random.normal(size=(64, 16)).astype("float32")
    D.train_on_batch(real, np.ones((64, 1)))
    D.train_on_batch(G.predict(noise, verbose=0), np.zeros((64, 1)))
    combined.train_on_batch(noise, np.ones((64, 1)))
