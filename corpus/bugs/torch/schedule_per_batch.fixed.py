"""Classifies digits with gradients of four batches a step, and a rate that falls to zero over the training."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(3)
data = load_digits()
images = torch.tensor(data.data, dtype=torch.float32) / 16
labels = torch.tensor(data.target)
model = nn.Sequential(nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
gather, epochs = 4, 4
batches = [torch.arange(start, start + 56) for start in range(0, 1792, 56)]
total = epochs * len(batches) // gather
schedule = torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=total)
for epoch in range(epochs):
    for index, rows in enumerate(batches):
        loss = nn.functional.cross_entropy(model(images[rows]), labels[rows]) / gather
        loss.backward()
        if (index + 1) % gather == 0:
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
    print(f"epoch {epoch} loss {loss.item() * gather:.3f}")
