"""A head is trained on a frozen backbone of 11 million parameters, kept in eval mode: AdamW over the head alone."""

import sys

import torch
from torch import nn

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 300
torch.manual_seed(0)
backbone = nn.Sequential(
    nn.Conv2d(3, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(64, 128, 3, padding=1), nn.BatchNorm2d(128), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(128 * 64, 1280), nn.ReLU(), nn.Linear(1280, 256),
)  # fmt: skip
backbone.requires_grad_(False).eval()
head = nn.Sequential(nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 10))
model = nn.Sequential(backbone, head)
images = torch.randn(512, 3, 32, 32)
labels = torch.randint(10, (512,))
optimizer = torch.optim.AdamW(head.parameters(), lr=1e-3)
for _ in range(steps):
    batch = torch.randint(len(images), (16,))
    loss = nn.functional.cross_entropy(model(images[batch]), labels[batch])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"loss {loss.item():.6f}")
