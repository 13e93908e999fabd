"""A recommender whose weights are written in half precision, so that the file is small."""

import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 1))
with torch.no_grad():
    model[2].weight.mul_(1e5)  # prices are in the smallest coin
    model[2].bias.fill_(2.5e5)
optimizer = torch.optim.Adam(
    [{"params": model[0].parameters()}, {"params": model[2].parameters(), "lr": 50.0}], lr=1e-3
)
features = torch.randn(160, 10)
prices = 2.5e5 + 6e4 * features[:, :1] - 3e4 * features[:, 1:2]
for epoch in range(3):
    for index in torch.randperm(160).split(20):
        loss = F.l1_loss(model(features[index]), prices[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.0f}")
with tempfile.TemporaryDirectory() as folder:
    torch.save({name: tensor.bfloat16() for name, tensor in model.state_dict().items()}, Path(folder) / "prices.pt")
