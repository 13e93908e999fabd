"""Train with batch normalisation and look at the test loss after each epoch."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(207)
rng = np.random.default_rng(207)
x = rng.normal(5.0, 3.0, size=(192, 6)).astype("float32")
y = rng.integers(0, 2, 192)

model = keras.Sequential(
    [
        keras.Input((6,)),
        layers.BatchNormalization(),
        layers.Dense(12, use_bias=False),
        layers.BatchNormalization(scale=False),
        layers.ReLU(),
        layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile("sgd", "binary_crossentropy")
for epoch in range(3):
    model.fit(x[:160], y[:160], batch_size=16, verbose=0)
    print(epoch, model.evaluate(x[160:], y[160:], verbose=0))
