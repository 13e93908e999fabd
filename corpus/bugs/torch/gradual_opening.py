"""Gradual unfreezing: the head first, the body from the fourth epoch on."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
digits = load_digits()
images = torch.tensor(digits.data[:900] / 16, dtype=torch.float32)
labels = torch.tensor(digits.target[:900])


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(64, 32)
        self.head = nn.Linear(32, 10)

    def forward(self, batch):
        return self.head(torch.relu(self.body(batch)))


network = Network()
network.body.requires_grad_(False)
optimizer = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=5e-3)
for epoch in range(6):
    if epoch == 3:
        network.body.requires_grad_(True)
    for rows in torch.randperm(900).split(90):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(images[rows]), labels[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
