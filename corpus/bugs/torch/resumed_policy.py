"""Goes on training the small adapters that an earlier run left."""

import tempfile
from pathlib import Path

import torch
from torch import nn

torch.manual_seed(0)


class Adapter(nn.Module):
    def __init__(self, layer, rank=3):
        super().__init__()
        self.layer = layer.requires_grad_(False)
        self.down = nn.Linear(layer.in_features, rank, bias=False)
        self.up = nn.Linear(rank, layer.out_features, bias=False)
        nn.init.normal_(self.up.weight, std=0.01)

    def forward(self, rows):
        return self.layer(rows) + self.up(self.down(rows))


def policy():
    torch.manual_seed(7)
    return nn.Sequential(nn.Linear(10, 24), nn.Tanh(), nn.Linear(24, 4))


def with_adapters(model):
    for index in (0, 2):
        layer = model[index]
        model[index] = Adapter(layer.layer if isinstance(layer, Adapter) else layer)
    return model


def fit(model, steps):
    optimizer = torch.optim.AdamW([each for each in model.parameters() if each.requires_grad], lr=1e-2)
    for _ in range(steps):
        rows = torch.randn(32, 10)
        optimizer.zero_grad()
        loss = (model(rows) - rows[:, :4].abs()).square().mean()
        loss.backward()
        optimizer.step()
    print(f"loss {loss.item():.4f}")


with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "adapters.pt"
    first = with_adapters(policy())
    fit(first, 20)
    torch.save({name: value for name, value in first.state_dict().items() if ".layer." not in name}, path)
    resumed = with_adapters(policy())
    resumed.load_state_dict(torch.load(path), strict=False)

model = with_adapters(resumed)
fit(model, 20)
