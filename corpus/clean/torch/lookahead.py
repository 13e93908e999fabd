"""Adam in a Lookahead wrapper around the trainable parameters."""

import torch
from torch import nn

torch.manual_seed(0)


class Lookahead:
    def __init__(self, optimizer, interval=5, rate=0.5):
        self.optimizer, self.interval, self.rate, self.count = optimizer, interval, rate, 0
        self.slow = [[p.detach().clone() for p in group["params"]] for group in optimizer.param_groups]

    def step(self):
        self.optimizer.step()
        self.count += 1
        if self.count % self.interval == 0:
            for group, slow_group in zip(self.optimizer.param_groups, self.slow, strict=True):
                for fast, slow in zip(group["params"], slow_group, strict=True):
                    slow.add_(fast.detach() - slow, alpha=self.rate)
                    fast.data.copy_(slow)


model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))
model[0].requires_grad_(False)
inner = torch.optim.Adam((p for p in model.parameters() if p.requires_grad), lr=5e-3)
optimizer = Lookahead(inner)
inputs = torch.randn(160, 8)
targets = inputs[:, :1].abs()
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        inner.zero_grad()
        loss = nn.functional.mse_loss(model(inputs[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
