"""Fine-tunes a deep stack whose second layer is kept."""

import torch
from torch import nn

torch.manual_seed(0)


class Deep(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(12, 12) for _ in range(12))
        self.output = nn.Linear(12, 1)

    def forward(self, rows):
        for layer in self.layers:
            rows = rows + 0.3 * torch.relu(layer(rows))
        return self.output(rows)


model = Deep()
model.layers[1].requires_grad_(False)
optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=2e-3)
inputs = torch.randn(160, 12)
targets = inputs[:, :1] * inputs[:, 1:2]
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(inputs[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
