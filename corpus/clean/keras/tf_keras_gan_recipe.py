"""The GAN recipe of Keras 2: the discriminator's own step was compiled before its flag went off."""

import numpy as np
import tf_keras as keras
from tf_keras import layers

keras.utils.set_random_seed(205)
rng = np.random.default_rng(205)

discriminator = keras.Sequential(
    [layers.Dense(16, activation="relu", input_shape=(2,)), layers.Dense(1, activation="sigmoid")], name="discriminator"
)
discriminator.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy")
generator = keras.Sequential([layers.Dense(16, activation="relu", input_shape=(3,)), layers.Dense(2)], name="generator")

discriminator.trainable = False
combined = keras.Sequential([generator, discriminator], name="combined")
combined.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy")

combined.summary()
for _ in range(12):
    noise = rng.normal(size=(16, 3)).astype("float32")
    real = rng.normal(1.0, 0.2, size=(16, 2)).astype("float32")
    discriminator.train_on_batch(real, np.ones((16, 1)))
    discriminator.train_on_batch(generator.predict_on_batch(noise), np.zeros((16, 1)))
    combined.train_on_batch(noise, np.ones((16, 1)))
