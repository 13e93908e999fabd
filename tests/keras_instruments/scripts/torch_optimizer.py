"""A torch optimizer trains a Keras model; a bare torch model trains beside it."""

import keras
import torch

keras.utils.set_random_seed(4)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="inner"), keras.layers.Dense(1, name="outer")])
beside = torch.nn.Linear(4, 1)
over_keras = torch.optim.SGD(model.parameters(), lr=0.1)
over_torch = torch.optim.SGD(beside.parameters(), lr=0.1)
x = torch.rand(16, 4)

for _ in range(5):
    for network, optimizer in ((model, over_keras), (beside, over_torch)):
        optimizer.zero_grad()
        network(x).pow(2).mean().backward()
        optimizer.step()
