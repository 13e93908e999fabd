"""Fine-tuning with learning rates that fall from the top layer to the bottom."""

import torch
from torch import nn

torch.manual_seed(0)


class Stack(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(10, 16), nn.Linear(16, 16), nn.Linear(16, 16), nn.Linear(16, 3)])

    def forward(self, rows):
        for layer in self.layers[:-1]:
            rows = torch.relu(layer(rows))
        return self.layers[-1](rows)


stack = Stack()
depth = len(stack.layers)
rates = [round(0.01 * 0.3 ** (depth - 1 - index), 5) for index in range(depth)]
optimizer = torch.optim.Adam(
    [{"params": layer.parameters(), "lr": rate} for layer, rate in zip(stack.layers, rates, strict=True)]
)
inputs = torch.randn(150, 10)
labels = inputs[:, :3].argmax(1)
for epoch in range(6):
    for rows in torch.randperm(150).split(30):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(stack(inputs[rows]), labels[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
