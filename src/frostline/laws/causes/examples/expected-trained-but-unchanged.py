# frostline run --trained 'spare.**' expected-trained-but-unchanged.py
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.main, self.spare = nn.Linear(8, 1), nn.Linear(8, 1)

    def forward(self, rows):
        return self.main(rows)


model = Model()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(4):
    optimizer.zero_grad()
    model(torch.randn(16, 8)).square().mean().backward()
    optimizer.step()
