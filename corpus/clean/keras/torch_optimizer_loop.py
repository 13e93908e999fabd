"""A training loop with a torch optimizer over the parameters of a Keras model."""

import keras
import numpy as np
import torch
from keras import layers

keras.utils.set_random_seed(214)
rng = np.random.default_rng(214)
x = torch.tensor(rng.normal(size=(64, 6)), dtype=torch.float32)
y = torch.tensor(rng.normal(size=(64, 2)), dtype=torch.float32)

model = keras.Sequential([keras.Input((6,)), layers.Dense(12, activation="tanh"), layers.Dense(2)])
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
for _ in range(24):
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(model(x, training=True), y)
    loss.backward()
    optimizer.step()
print("loss", loss.item())
