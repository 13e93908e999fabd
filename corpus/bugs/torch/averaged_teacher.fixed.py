"""Semi-supervised training with a teacher that averages the student."""

import copy

import torch
from torch import nn

torch.manual_seed(0)
student = nn.Sequential(nn.Linear(8, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Linear(24, 2))
teacher = copy.deepcopy(student).requires_grad_(False).eval()
optimizer = torch.optim.SGD(student.parameters(), lr=0.1)
inputs = torch.randn(240, 8) * 2 + 1
labels = (inputs[:, 0] > inputs[:, 1]).long()


@torch.no_grad()
def average(rate):
    for slow, fast in zip(teacher.parameters(), student.parameters(), strict=True):
        slow.lerp_(fast, rate)
    for slow, fast in zip(teacher.buffers(), student.buffers(), strict=True):
        slow.copy_(fast)


for epoch in range(6):
    for rows in torch.randperm(240).split(48):
        noisy = inputs[rows] + torch.randn(len(rows), 8) * 0.1
        out = student(noisy)
        loss = nn.functional.cross_entropy(out[:16], labels[rows[:16]])
        loss = loss + 0.1 * nn.functional.mse_loss(out.softmax(1), teacher(inputs[rows]).softmax(1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average(0.05)
    print(f"epoch {epoch} loss {loss.item():.4f}")
