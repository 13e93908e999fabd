"""Distils a wide network into a narrow one that starts from the first units of the wide one."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
digits = load_digits()
images = torch.tensor(digits.data[:800] / 16, dtype=torch.float32)


def network(width):
    return nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))


teacher = network(96)
teacher.requires_grad_(False)
student = network(32)
student[0].weight.data = teacher[0].weight.data[:32].clone()
student[0].bias.data = teacher[0].bias.data[:32].clone()

optimizer = torch.optim.Adam(student.parameters(), lr=2e-3)
for epoch in range(4):
    for batch in images.split(100):
        with torch.no_grad():
            wanted = teacher(batch).softmax(1)
        optimizer.zero_grad()
        loss = nn.functional.kl_div(student(batch).log_softmax(1), wanted, reduction="batchmean")
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.5f}")
