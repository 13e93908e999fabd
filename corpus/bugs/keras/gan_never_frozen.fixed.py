"""A GAN of two compiled models over short signals."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(151)
rng = np.random.default_rng(151)

discriminator = keras.Sequential(
    [keras.Input((6,)), layers.Dense(1, activation="sigmoid", name="verdict")], name="discriminator"
)
discriminator.compile(keras.optimizers.SGD(0.1), "binary_crossentropy")
generator = keras.Sequential([keras.Input((3,)), layers.Dense(6, activation="tanh", name="signal")], name="generator")
combined = keras.Sequential([keras.Input((3,)), generator, discriminator], name="combined")
combined.compile(keras.optimizers.SGD(0.1), "binary_crossentropy")

for _ in range(15):
    noise = rng.normal(size=(16, 3)).astype("float32")
    real = np.sin(rng.uniform(0, 6, size=(16, 1)) + np.arange(6)).astype("float32")
    discriminator.trainable = True
    discriminator.train_on_batch(real, np.ones((16, 1)))
    discriminator.train_on_batch(generator.predict_on_batch(noise), np.zeros((16, 1)))
    discriminator.trainable = False
    combined.train_on_batch(noise, np.ones((16, 1)))
