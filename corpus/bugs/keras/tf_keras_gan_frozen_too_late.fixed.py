"""A GAN of two compiled models."""

import numpy as np
import tf_keras as keras
from tf_keras import layers

keras.utils.set_random_seed(150)
rng = np.random.default_rng(150)

discriminator = keras.Sequential(
    [layers.Dense(1, activation="sigmoid", input_shape=(3,), name="judge")], name="discriminator"
)
discriminator.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy")
generator = keras.Sequential([layers.Dense(3, input_shape=(2,), name="make")], name="generator")
combined = keras.Sequential([generator, discriminator], name="combined")
discriminator.trainable = False
combined.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy")

for _ in range(15):
    noise = rng.normal(size=(16, 2)).astype("float32")
    real = rng.normal(2.0, 0.1, size=(16, 3)).astype("float32")
    discriminator.train_on_batch(real, np.ones((16, 1)))
    discriminator.train_on_batch(generator.predict_on_batch(noise), np.zeros((16, 1)))
    combined.train_on_batch(noise, np.ones((16, 1)))
