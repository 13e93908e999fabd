"""Trains a digit classifier and closes its first layer as soon as the loss is low enough."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
digits = load_digits()
images = torch.tensor(digits.data / 16, dtype=torch.float32)
labels = torch.tensor(digits.target)

model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss_function = nn.CrossEntropyLoss()
closed = False

for epoch in range(4):
    for rows in torch.randperm(len(images)).split(150):
        optimizer.zero_grad()
        loss = loss_function(model(images[rows]), labels[rows])
        loss.backward()
        optimizer.step()
        if not closed and loss.item() < 2.1:
            model[0].requires_grad_(False)
            closed = True
    print(f"epoch {epoch} loss {loss.item():.4f}")
