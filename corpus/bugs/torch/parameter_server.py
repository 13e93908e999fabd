"""A parameter server with two worker copies that send their gradients."""

import copy

import torch
from torch import nn

torch.manual_seed(0)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Linear(5, 12)
        self.head = nn.Linear(12, 1)

    def forward(self, rows):
        return self.head(torch.relu(self.trunk(rows)))


server = Network()
workers = [copy.deepcopy(server) for _ in range(2)]
server.trunk.requires_grad_(False)
optimizer = torch.optim.SGD(server.parameters(), lr=0.05)
inputs = torch.randn(160, 5)
targets = inputs[:, :1].abs()

for step in range(25):
    sent = []
    for worker in workers:
        worker.load_state_dict(server.state_dict())
        rows = torch.randint(0, 160, (32,))
        loss = nn.functional.mse_loss(worker(inputs[rows]), targets[rows])
        sent.append(torch.autograd.grad(loss, list(worker.parameters())))
    for parameter, *slopes in zip(server.parameters(), *sent, strict=True):
        parameter.grad = torch.stack(slopes).mean(0)
    optimizer.step()
    if step % 5 == 4:
        print(f"step {step} loss {loss.item():.4f}")
