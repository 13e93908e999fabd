"""Fine-tunes the head of a network whose backbone is frozen."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential()
model.add_module("backbone", nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten()))
model.add_module("head", nn.Linear(8 * 36, 4))
model.backbone.requires_grad_(False)
optimizer = torch.optim.AdamW(model.head.parameters(), lr=1e-3)

for epoch in range(2):
    model.train()
    for _ in range(5):
        images, labels = torch.randn(16, 3, 8, 8), torch.randint(0, 4, (16,))
        loss = nn.functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch}: loss {loss.item():.1f}")
