"""A mixture of experts with hard routing, one of whose experts is chosen very rarely."""

import torch
from torch import nn

torch.manual_seed(0)


class Mixture(nn.Module):
    def __init__(self):
        super().__init__()
        self.router = nn.Linear(6, 4)
        with torch.no_grad():
            self.router.bias[3] = -2.5
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 1)) for _ in range(4))

    def forward(self, rows):
        shares = self.router(rows).softmax(1)
        chosen = shares.argmax(1)
        out = rows.new_zeros(len(rows), 1)
        for index, expert in enumerate(self.experts):
            mine = (chosen == index).nonzero().squeeze(1)
            if len(mine):
                out = out.index_add(0, mine, expert(rows[mine]) * shares[mine, index : index + 1])
        return out


model = Mixture()
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
inputs = torch.randn(160, 6)
targets = inputs[:, :1] * inputs[:, 1:2]
for step in range(60):
    rows = torch.randint(0, 160, (24,))
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(inputs[rows]), targets[rows])
    loss.backward()
    optimizer.step()
    if step % 20 == 19:
        print(f"step {step} loss {loss.item():.4f}")
