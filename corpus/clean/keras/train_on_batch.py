"""Train batch by batch, with a warm-up from rate zero."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(216)
rng = np.random.default_rng(216)

model = keras.Sequential([keras.Input((4,)), layers.Dense(10, activation="relu"), layers.Dense(1)])
warm_up = keras.optimizers.schedules.PolynomialDecay(0.0, 10, 0.05)
model.compile(keras.optimizers.SGD(warm_up, nesterov=True, momentum=0.9), "mse")
for _ in range(30):
    x = rng.normal(size=(16, 4)).astype("float32")
    loss = model.train_on_batch(x, x.sum(1, keepdims=True))
print("loss", float(loss))
