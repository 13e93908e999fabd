# frostline run unregistered-tensor.py
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = [nn.Linear(8, 8)]  # a plain list
        self.head = nn.Linear(8, 1)

    def forward(self, rows):
        return self.head(self.blocks[0](rows))


model = Model()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(4):
    optimizer.zero_grad()
    model(torch.randn(16, 8)).square().mean().backward()
    optimizer.step()
