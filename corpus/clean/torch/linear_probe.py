"""A feature extractor under no_grad with flags off; only the head is in the optimizer."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
digits = load_digits()
images = torch.tensor(digits.data[:900] / 16, dtype=torch.float32)
labels = torch.tensor(digits.target[:900])
extractor = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU())
extractor.requires_grad_(False).eval()
head = nn.Linear(64, 10)
optimizer = torch.optim.LBFGS(head.parameters(), lr=0.3)
with torch.no_grad():
    features = extractor(images)


def closure():
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(head(features), labels)
    loss.backward()
    return loss


for step in range(20):
    loss = optimizer.step(closure)
    if step % 5 == 4:
        print(f"step {step} loss {loss.item():.4f}")
