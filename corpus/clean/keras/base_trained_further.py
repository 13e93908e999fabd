"""Encoders that were trained on a first task, under heads of their own for a second, and trained further with them."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(461)
rng = np.random.default_rng(461)
x = rng.normal(size=(120, 8)).astype("float32")
first = rng.normal(size=(120, 6)).astype("float32")
second = rng.integers(0, 3, 120)


def encoder(name):
    norm = layers.BatchNormalization(name="norm")
    return keras.Sequential([keras.Input((8,)), layers.Dense(6, name="hidden"), norm], name=name)


graph_base, row_base = encoder("graph_base"), encoder("row_base")
for base in (graph_base, row_base):
    base.compile("adam", "mse")
    base.fit(x, first, batch_size=12, epochs=2, verbose=0)

inputs = keras.Input((8,))
in_graph = keras.Model(inputs, layers.Dense(3, name="head")(layers.Activation("tanh")(graph_base(inputs))))
in_row = keras.Sequential([keras.Input((8,)), row_base, layers.Activation("tanh"), layers.Dense(3, name="head")])
for model in (in_graph, in_row):
    model.compile(keras.optimizers.Adam(1e-4), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, second, batch_size=12, epochs=2, verbose=0)
