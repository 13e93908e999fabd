"""A small GAN over points on a ring."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(109)
rng = np.random.default_rng(109)

discriminator = keras.Sequential(
    [
        keras.Input((2,)),
        layers.Dense(24, activation="leaky_relu", name="judge_1"),
        layers.Dense(1, activation="sigmoid", name="judge_2"),
    ],
    name="discriminator",
)
discriminator.compile(keras.optimizers.Adam(2e-3, 0.5), "binary_crossentropy")

generator = keras.Sequential(
    [keras.Input((4,)), layers.Dense(24, activation="relu", name="make_1"), layers.Dense(2, name="make_2")],
    name="generator",
)

discriminator.trainable = False
noise = keras.Input((4,))
combined = keras.Model(noise, discriminator(generator(noise)), name="combined")
combined.compile(keras.optimizers.Adam(2e-3, 0.5), "binary_crossentropy")

for _ in range(12):
    angle = rng.uniform(0, 2 * np.pi, 32)
    real = np.stack([np.cos(angle), np.sin(angle)], 1).astype("float32")
    fake = generator.predict(rng.normal(size=(32, 4)), verbose=0)
    d_real = discriminator.train_on_batch(real, np.ones((32, 1)))
    d_fake = discriminator.train_on_batch(fake, np.zeros((32, 1)))
    g_loss = combined.train_on_batch(rng.normal(size=(32, 4)), np.ones((32, 1)))
print("losses", float(d_real), float(d_fake), float(g_loss))
