"""Low-rank adapters written by hand around a frozen network, folded into its weights at the end for a faster model."""

import torch
import torch.nn.functional as F
from torch import nn


class Adapted(nn.Module):
    """A frozen linear layer with a trained product of two small matrices beside it."""

    def __init__(self, base, rank=3):
        super().__init__()
        self.base = base.requires_grad_(False)
        self.down = nn.Parameter(torch.randn(rank, base.in_features) * 0.05)
        self.up = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, inputs):
        return self.base(inputs) + inputs @ self.down.T @ self.up.T

    def folded(self):
        self.base.weight.data += self.up.data @ self.down.data
        return self.base


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(12, 24), nn.ReLU(), nn.Linear(24, 5))
model[0], model[2] = Adapted(model[0]), Adapted(model[2])
optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=0.01)
inputs, labels = torch.randn(70, 12), torch.randint(0, 5, (70,))
for epoch in range(5):
    for index in torch.randperm(70).split(14):
        loss = F.cross_entropy(model(inputs[index]), labels[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
model[0], model[2] = model[0].folded(), model[2].folded()
model.eval()
with torch.no_grad():
    print(f"accuracy {(model(inputs).argmax(1) == labels).float().mean().item():.3f}")
