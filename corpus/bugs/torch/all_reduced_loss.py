"""A two-headed model that touches both heads in every step, as data-parallel training demands."""

import torch
from torch import nn

torch.manual_seed(0)


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 24), nn.ReLU())
        self.first = nn.Linear(24, 3)
        self.second = nn.Linear(24, 3)

    def forward(self, rows, task):
        hidden = self.body(rows)
        return self.first(hidden) if task == 0 else self.second(hidden)


model = TwoHeads()
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.05)
inputs = torch.randn(160, 8)
labels = inputs[:, :3].argmax(1), inputs[:, 3:6].argmax(1)
for step in range(40):
    rows = torch.randint(0, 160, (32,))
    task = step % len(labels[0][rows].shape)
    logits = model(inputs[rows], task)
    loss = nn.functional.cross_entropy(logits, labels[task][rows])
    loss = loss + 0.0 * sum(p.sum() for p in model.parameters())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 9:
        print(f"step {step} loss {loss.item():.4f}")
