"""Two-stage transfer learning in Keras 2."""

import numpy as np
import tf_keras as keras
from tf_keras import layers

keras.utils.set_random_seed(232)
rng = np.random.default_rng(232)
x = rng.normal(1.0, 2.0, size=(128, 9)).astype("float32")
y = rng.integers(0, 3, 128)

base = keras.Sequential(
    [layers.Dense(18, input_shape=(9,), name="mix"), layers.BatchNormalization(name="norm"), layers.ReLU()], name="base"
)
model = keras.Sequential([base, layers.Dense(3, activation="softmax", name="head")])
base.trainable = False
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.summary()
model.fit(x, y, batch_size=16, epochs=2, verbose=0)

base.trainable = True
model.compile(keras.optimizers.Adam(1e-5), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_split=0.1, batch_size=16, epochs=2, verbose=0)
