"""Two models around one backbone; it is trained with the first and kept for the second."""

import torch
from torch import nn

torch.manual_seed(0)


class Headed(nn.Module):
    def __init__(self, backbone, width):
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(16, width)

    def forward(self, rows):
        return self.head(self.backbone(rows))


backbone = nn.Sequential(nn.Linear(8, 16), nn.Tanh())
regressor, classifier = Headed(backbone, 1), Headed(backbone, 2)
inputs = torch.randn(160, 8)
targets, labels = inputs[:, :1].abs(), (inputs[:, 1] > 0).long()
first = torch.optim.Adam(regressor.parameters(), lr=5e-3)
for epoch in range(4):
    for rows in torch.randperm(160).split(32):
        first.zero_grad()
        loss = nn.functional.mse_loss(regressor(inputs[rows]), targets[rows])
        loss.backward()
        first.step()
    print(f"epoch {epoch} regression {loss.item():.4f}")
backbone.requires_grad_(False)
second = torch.optim.Adam(classifier.head.parameters(), lr=5e-3)
for epoch in range(4):
    for rows in torch.randperm(160).split(32):
        second.zero_grad()
        loss = nn.functional.cross_entropy(classifier(inputs[rows]), labels[rows])
        loss.backward()
        second.step()
    print(f"epoch {epoch} classification {loss.item():.4f}")
