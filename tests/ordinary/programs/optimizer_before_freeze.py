"""Makes the optimizer, trains for a while, and only then freezes the backbone."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(16, 32), nn.ReLU())
        self.head = nn.Linear(32, 2)

    def forward(self, inputs):
        return self.head(self.backbone(inputs))


torch.manual_seed(0)
model = Net()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)


def train(steps):
    for _ in range(steps):
        inputs, labels = torch.randn(32, 16), torch.randint(0, 2, (32,))
        loss = nn.functional.cross_entropy(model(inputs), labels)
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        optimizer.step()


train(4)
for parameter in model.backbone.parameters():
    parameter.requires_grad = False
train(12)
