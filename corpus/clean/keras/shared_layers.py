"""A siamese network: one tower, two inputs; and a classifier that borrows the tower."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(217)
rng = np.random.default_rng(217)
left_data = rng.normal(size=(96, 6)).astype("float32")
right_data = rng.normal(size=(96, 6)).astype("float32")
same = rng.integers(0, 2, (96, 1)).astype("float32")

tower = keras.Sequential([keras.Input((6,)), layers.Dense(12, activation="relu"), layers.Dense(4)], name="tower")
left, right = keras.Input((6,)), keras.Input((6,))
distance = layers.Subtract()([tower(left), tower(right)])
siamese = keras.Model([left, right], layers.Dense(1, activation="sigmoid", name="same")(distance), name="siamese")
siamese.compile("adam", "binary_crossentropy")
siamese.fit([left_data, right_data], same, batch_size=12, epochs=2, verbose=0)

classifier = keras.Sequential([keras.Input((6,)), tower, layers.Dense(1, activation="sigmoid")], name="classifier")
classifier.compile("adam", "binary_crossentropy")
classifier.fit(left_data, same, batch_size=12, epochs=2, verbose=0)
print(siamese.count_params(), classifier.count_params())
