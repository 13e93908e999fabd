"""Consistency training: a smoothed teacher follows its student and gives it soft targets on noisy inputs."""

import torch
from torch import nn

torch.manual_seed(9)


def network():
    return nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 4))


student, teacher = network(), network()
for mine, theirs in zip(teacher.parameters(), student.parameters(), strict=True):
    mine.requires_grad_(False)
    mine.data = theirs.data.clone()
teacher.eval()

optimizer = torch.optim.SGD(student.parameters(), lr=0.1)
centres = torch.randn(4, 10)
for _ in range(30):
    labels = torch.randint(0, 4, (64,))
    inputs = centres[labels] + torch.randn(64, 10)
    with torch.no_grad():
        targets = teacher(inputs + 0.1 * torch.randn_like(inputs)).softmax(1)
    scores = student(inputs)
    agreement = nn.functional.cross_entropy(scores, targets)
    loss = nn.functional.cross_entropy(scores, labels) + 0.5 * agreement
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        for mine, theirs in zip(teacher.parameters(), student.parameters(), strict=True):
            mine.mul_(0.95).add_(theirs, alpha=0.05)
print("loss", loss.item())
