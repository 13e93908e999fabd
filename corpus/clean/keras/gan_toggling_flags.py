"""A GAN that sets the flag before each of its two steps."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(204)
rng = np.random.default_rng(204)

critic = keras.Sequential(
    [keras.Input((3,)), layers.Dense(20, activation="relu"), layers.Dense(1, activation="sigmoid")], name="critic"
)
critic.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy")
maker = keras.Sequential([keras.Input((2,)), layers.Dense(20, activation="relu"), layers.Dense(3)], name="maker")
critic.trainable = False
both = keras.Sequential([keras.Input((2,)), maker, critic], name="both")
both.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy")

for _ in range(12):
    noise = rng.normal(size=(24, 2)).astype("float32")
    real = rng.uniform(-1, 1, (24, 3)).astype("float32")
    examples = np.concatenate([real, maker.predict(noise, verbose=0)])
    critic.trainable = True
    critic.train_on_batch(examples, np.repeat([[1.0], [0.0]], 24, axis=0))
    critic.trainable = False
    both.train_on_batch(noise, np.ones((24, 1)))
