"""A frozen teacher that follows the student as an average, statistics included."""

import copy

import torch
from torch import nn

torch.manual_seed(0)
student = nn.Sequential(nn.Linear(8, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Linear(24, 2))
teacher = copy.deepcopy(student)
for parameter in teacher.parameters():
    parameter.requires_grad = False
teacher.eval()
optimizer = torch.optim.Adam(student.parameters(), lr=5e-3)
inputs = torch.randn(240, 8)
labels = (inputs[:, 0] > inputs[:, 1]).long()
for epoch in range(6):
    for rows in torch.randperm(240).split(48):
        out = student(inputs[rows])
        loss = nn.functional.cross_entropy(out, labels[rows])
        loss = loss + 0.1 * nn.functional.mse_loss(out.softmax(1), teacher(inputs[rows]).softmax(1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for slow, fast in zip(teacher.parameters(), student.parameters(), strict=True):
            slow.data.mul_(0.95).add_(fast.data, alpha=0.05)
        for slow, fast in zip(teacher.buffers(), student.buffers(), strict=True):
            slow.copy_(fast)
    print(f"epoch {epoch} loss {loss.item():.4f}")
