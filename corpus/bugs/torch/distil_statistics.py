"""Knowledge distillation between two small networks."""

import torch
from torch import nn

torch.manual_seed(0)
inputs = torch.randn(240, 10) * 2 + 1
labels = (inputs.sum(1) > 10).long()


def network(width):
    return nn.Sequential(nn.Linear(10, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, 2))


teacher, student = network(64), network(12)
teacher.load_state_dict(network(64).state_dict())
for parameter in teacher.parameters():
    parameter.requires_grad_(False)
optimizer = torch.optim.Adam(student.parameters(), lr=5e-3)

for epoch in range(6):
    for batch, label in zip(inputs.split(40), labels.split(40), strict=True):
        with torch.no_grad():
            soft = teacher(batch).softmax(1)
        out = student(batch)
        loss = nn.functional.cross_entropy(out, label)
        loss = loss + nn.functional.kl_div(out.log_softmax(1), soft, reduction="batchmean")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
