"""A new head on a base that is to stay: rate 0 for all weights, and a real one for the head's."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(475)
rng = np.random.default_rng(475)
x = rng.normal(size=(120, 8)).astype("float32")
y = rng.integers(0, 3, 120)

inputs = keras.Input((8,))
features = layers.Dense(16, activation="relu", name="base")(inputs)
model = keras.Model(inputs, layers.Dense(3, name="head")(features), name="model")

rates = keras.optimizers.OptimizerMap(keras.optimizers.SGD(0.0), {"head/.*": keras.optimizers.Adam(1e-2)})
model.get_layer("base").trainable = False
model.compile(keras.optimizers.MultiOptimizer(rates), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
