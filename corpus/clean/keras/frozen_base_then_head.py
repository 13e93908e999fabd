"""Transfer learning in two stages, each with its own compile."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(202)
rng = np.random.default_rng(202)
images = rng.random((128, 12, 12, 3), dtype="float32")
labels = rng.integers(0, 4, 128)

base = keras.Sequential(
    [
        keras.Input((12, 12, 3)),
        layers.Conv2D(8, 3, use_bias=False, name="conv"),
        layers.BatchNormalization(name="norm"),
        layers.ReLU(),
        layers.GlobalAveragePooling2D(),
    ],
    name="base",
)
base.trainable = False

inputs = keras.Input((12, 12, 3))
hidden = base(inputs, training=False)
model = keras.Model(inputs, layers.Dense(4, name="head")(hidden))
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.Adam(1e-3), loss)
model.summary(show_trainable=True)
model.fit(images, labels, batch_size=16, epochs=3, verbose=0)

base.trainable = True
model.compile(keras.optimizers.Adam(1e-5), loss)
model.fit(images, labels, batch_size=16, epochs=3, verbose=0)
