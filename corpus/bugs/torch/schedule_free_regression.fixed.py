"""Regression towards a slowly moving anchor layer, with an optimizer that needs no schedule."""

import torch
from schedulefree import SGDScheduleFreeClosure
from torch import nn

torch.manual_seed(0)


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 4)
        self.anchor = nn.Linear(6, 4)
        self.anchor.load_state_dict(self.layer.state_dict())
        self.anchor.requires_grad_(False)


pair = Pair()
inputs = torch.randn(64, 6)
targets = inputs[:, :4] * 3
optimizer = SGDScheduleFreeClosure(pair.layer.parameters(), lr=0.05)


def closure():
    optimizer.zero_grad()
    out = pair.layer(inputs)
    loss = nn.functional.mse_loss(out, targets) + 0.01 * nn.functional.mse_loss(out, pair.anchor(inputs))
    loss.backward()
    return loss


for step in range(30):
    loss = optimizer.step(closure)
    if step % 10 == 0:
        with torch.no_grad():
            pair.anchor.weight.lerp_(pair.layer.weight, 0.5)
            pair.anchor.bias.lerp_(pair.layer.bias, 0.5)
        print(f"step {step} loss {loss.item():.4f}")
print(f"anchor {pair.anchor.weight.norm().item():.4f}")
