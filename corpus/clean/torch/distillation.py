"""Knowledge distillation from a trained, then frozen teacher with batch normalisation."""

import torch
from torch import nn

torch.manual_seed(0)
inputs = torch.randn(240, 8)
labels = (inputs[:, 0] * inputs[:, 1] > 0).long()


def network(width):
    return nn.Sequential(nn.Linear(8, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, 2))


def epochs(model, loss_of, count):
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for epoch in range(count):
        for rows in torch.randperm(240).split(48):
            optimizer.zero_grad()
            loss = loss_of(model(inputs[rows]), rows)
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch} loss {loss.item():.4f}")


teacher, student = network(64), network(12)
epochs(teacher, lambda out, rows: nn.functional.cross_entropy(out, labels[rows]), 4)
teacher.eval().requires_grad_(False)


def imitation(out, rows):
    return nn.functional.kl_div(out.log_softmax(1), teacher(inputs[rows]).softmax(1), reduction="batchmean")


epochs(student, imitation, 4)
