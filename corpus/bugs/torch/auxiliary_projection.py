"""An encoder that returns pooled and projected features for a classifier."""

import torch
from torch import nn

torch.manual_seed(0)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(10, 24), nn.ReLU())
        self.projection = nn.Linear(24, 24)

    def forward(self, rows):
        pooled = self.body(rows)
        return pooled, self.projection(pooled)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.output = nn.Linear(24, 3)

    def forward(self, rows):
        pooled, projected = self.encoder(rows)
        return self.output(pooled), projected


model = Classifier()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
inputs = torch.randn(150, 10)
labels = inputs[:, :3].argmax(1)
for epoch in range(5):
    for rows in torch.randperm(150).split(30):
        optimizer.zero_grad()
        logits, _ = model(inputs[rows])
        loss = nn.functional.cross_entropy(logits, labels[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
