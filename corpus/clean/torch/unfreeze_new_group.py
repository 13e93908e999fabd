"""Opens the body later and gives it to the optimizer as a group of its own with a lower rate."""

import torch
from torch import nn

torch.manual_seed(0)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(10, 24)
        self.head = nn.Linear(24, 2)

    def forward(self, rows):
        return self.head(torch.relu(self.body(rows)))


network = Network()
network.body.requires_grad_(False)
optimizer = torch.optim.Adam(network.head.parameters(), lr=1e-2)
inputs = torch.randn(160, 10)
labels = (inputs[:, 0] * inputs[:, 1] > 0).long()
for epoch in range(6):
    if epoch == 3:
        network.body.requires_grad_(True)
        optimizer.add_param_group({"params": network.body.parameters(), "lr": 1e-3})
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(inputs[rows]), labels[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
