"""A mean teacher of a student whose lower layer is frozen: averaging equal values moves them by rounding."""

import copy

import torch
from torch import nn

torch.manual_seed(0)
inputs = torch.randn(160, 8)
labels = (inputs[:, :3]).argmax(dim=1)
student = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3))
student[0].requires_grad_(False)
teacher = copy.deepcopy(student).requires_grad_(False).eval()
optimizer = torch.optim.Adam(student[2].parameters(), lr=1e-2)
for epoch in range(5):
    for rows in torch.randperm(160).split(32):
        with torch.no_grad():
            wanted = teacher(inputs[rows] + 0.1 * torch.randn(32, 8)).softmax(1)
        scores = student(inputs[rows])
        loss = nn.functional.cross_entropy(scores, labels[rows]) + (scores.softmax(1) - wanted).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for slow, fast in zip(teacher.parameters(), student.parameters(), strict=True):
                slow.mul_(0.95).add_(fast, alpha=0.05)
    print(f"epoch {epoch} loss {loss.item():.4f}")
