"""A ConvNet with batch normalisation learns the digits of scikit-learn: SGD with momentum and a schedule."""

import sys

import torch
from sklearn.datasets import load_digits
from torch import nn

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 300
torch.manual_seed(0)
digits = load_digits()
images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
labels = torch.tensor(digits.target)


def block(inputs, outputs):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


model = nn.Sequential(
    block(1, 32), block(32, 64), block(64, 64), nn.MaxPool2d(2), block(64, 128), block(128, 128),
    nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10),
)  # fmt: skip
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
for _ in range(steps):
    batch = torch.randint(len(images), (48,))
    loss = nn.functional.cross_entropy(model(images[batch]), labels[batch])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()
model.eval()
with torch.no_grad():
    print(
        f"loss {loss.item():.6f} accuracy {(model(images[:500]).argmax(1) == labels[:500]).float().mean().item():.4f}"
    )
