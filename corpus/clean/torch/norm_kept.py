"""Transfer learning whose train() keeps the frozen normalisation layers in eval mode."""

import torch
from torch import nn

torch.manual_seed(0)


class Transfer(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(10, 24), nn.BatchNorm1d(24), nn.ReLU())
        self.backbone.requires_grad_(False)
        self.head = nn.Linear(24, 2)

    def train(self, mode=True):
        super().train(mode)
        self.backbone.eval()
        return self

    def forward(self, rows):
        return self.head(self.backbone(rows))


model = Transfer()
with torch.no_grad():
    model.backbone[1].running_mean.uniform_(-0.2, 0.2)
optimizer = torch.optim.Adam(model.head.parameters(), lr=1e-2)
inputs = torch.randn(160, 10)
labels = (inputs[:, 0] > 0).long()
for epoch in range(6):
    model.train()
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs[rows]), labels[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
