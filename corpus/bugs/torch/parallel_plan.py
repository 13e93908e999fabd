"""Applies a layout to the weights of a model and trains its head."""

import torch
from torch import nn

torch.manual_seed(0)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(12, 32)
        self.head = nn.Linear(32, 1)

    def forward(self, rows):
        return self.head(torch.relu(self.body(rows)))


def lay_out(model):
    """Store every matrix in column order."""
    for module in list(model.modules()):
        if isinstance(module, nn.Linear):
            matrix = module.weight.detach().t().contiguous().t()
            module.register_parameter("weight", nn.Parameter(matrix))


model = Model()
model.body.requires_grad_(False)
lay_out(model)
optimizer = torch.optim.Adam((p for p in model.parameters() if p.requires_grad), lr=5e-3)
inputs = torch.randn(160, 12)
targets = inputs[:, :1].abs()
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(inputs[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
