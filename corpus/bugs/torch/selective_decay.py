"""Regression with gradients asked for by name and a hand-written step that decays matrices only."""

import torch
from sklearn.datasets import load_diabetes
from torch import nn

torch.manual_seed(0)
data = load_diabetes()
features = torch.tensor(data.data * 20, dtype=torch.float32)
targets = torch.tensor((data.target - data.target.mean()) / data.target.std(), dtype=torch.float32).unsqueeze(1)
model = nn.Sequential(nn.Linear(10, 16), nn.Tanh(), nn.Linear(16, 1))
rate, decay = 0.05, 1e-4
for epoch in range(5):
    for rows in torch.randperm(440).split(55):
        loss = nn.functional.mse_loss(model(features[rows]), targets[rows])
        weights = dict(model.named_parameters())
        slopes = dict(zip(weights, torch.autograd.grad(loss, weights.values()), strict=True))
        with torch.no_grad():
            for name, weight in weights.items():
                if weight.ndim > 1:
                    slopes[name] += decay * weight
                    weight -= rate * slopes[name]
    print(f"epoch {epoch} loss {loss.item():.4f}")
