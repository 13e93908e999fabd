"""A loop in torch over a Keras model, first with an optimizer of Keras, then with one of torch."""

import keras
import numpy as np
import torch
from keras import layers

keras.utils.set_random_seed(163)
rng = np.random.default_rng(163)
x = torch.tensor(rng.normal(size=(96, 8)).astype("float32"))
y = torch.tensor(rng.integers(0, 3, 96))

model = keras.Sequential(
    [keras.Input((8,)), layers.Dense(12, activation="relu"), layers.BatchNormalization(), layers.Dense(3)]
)
optimizer = keras.optimizers.Adam(1e-2)
for start in [*range(0, 96, 12)] * 3:
    model.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(x[start : start + 12], training=True), y[start : start + 12])
    loss.backward()
    weights = model.trainable_weights
    with torch.no_grad():
        optimizer.apply([weight.value.grad for weight in weights], weights)

other = torch.optim.Adam(model.parameters(), lr=1e-3)
for start in [*range(0, 96, 12)] * 2:
    other.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(x[start : start + 12], training=True), y[start : start + 12])
    loss.backward()
    other.step()
