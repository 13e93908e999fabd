"""A frozen backbone whose optimizer was made before."""

import torch
from torch import nn


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU())
        self.head = nn.Linear(16, 2)

    def forward(self, x):
        return self.head(self.backbone(x))


def steps(count):
    model.train()  # F107 train mode
    for _ in range(count):
        optimizer.zero_grad(set_to_none=False)
        model(torch.randn(16, 8)).square().mean().backward()
        optimizer.step()  # F102 step


model = Classifier()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)  # F102 optimizer
steps(3)
model.backbone.requires_grad_(False)  # F102 frozen, F107 frozen, D301 frozen
steps(10)
