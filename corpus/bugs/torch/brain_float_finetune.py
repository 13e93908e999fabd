"""Fine-tunes a bfloat16 network at the low learning rate of its recipe."""

import torch
from torch import nn

torch.manual_seed(0)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.lift = nn.Linear(12, 48)
        self.norm = nn.LayerNorm(48)
        self.output = nn.Linear(48, 1)

    def forward(self, rows):
        return self.output(torch.relu(self.norm(self.lift(rows))))


network = Network().to(torch.bfloat16)
inputs = torch.randn(160, 12).to(torch.bfloat16)
targets = inputs[:, :1].abs()
optimizer = torch.optim.AdamW(network.parameters(), lr=2e-5, weight_decay=0.0)
for epoch in range(8):
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(network(inputs[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
