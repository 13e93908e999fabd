"""Opens one layer more in every epoch; the optimizer has held all of them from the start."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
digits = load_digits()
images = torch.tensor(digits.data[:800] / 16, dtype=torch.float32)
labels = torch.tensor(digits.target[:800])
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 24), nn.ReLU(), nn.Linear(24, 10))
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
model.requires_grad_(False)
for epoch, layer in enumerate([model[4], model[2], model[0]]):
    layer.requires_grad_(True)
    for rows in torch.randperm(800).split(80):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images[rows]), labels[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
