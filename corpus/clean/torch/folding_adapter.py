"""Adapters that are folded into the weights in eval mode and taken out again in training mode; they alone are saved."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Folding(nn.Linear):
    """A frozen linear layer with a trained low-rank product, which costs nothing in eval mode."""

    def __init__(self, inputs, outputs, rank=2):
        super().__init__(inputs, outputs)
        self.weight.requires_grad = self.bias.requires_grad = False
        self.down = nn.Parameter(torch.randn(rank, inputs) / inputs**0.5)
        self.up = nn.Parameter(torch.zeros(outputs, rank))
        self.folded = False

    def train(self, mode=True):
        super().train(mode)
        if mode == self.folded:
            self.weight.data += (-1 if mode else 1) * self.up.data @ self.down.data
            self.folded = not mode
        return self

    def forward(self, rows):
        whole = F.linear(rows, self.weight, self.bias)
        return whole if self.folded else whole + rows @ self.down.T @ self.up.T


model = nn.Sequential(Folding(12, 24), nn.ReLU(), Folding(24, 16), nn.ReLU(), nn.Linear(16, 3))
trained = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
optimizer = torch.optim.AdamW(trained.values(), lr=1e-2)
rows, labels = torch.randn(90, 12), torch.randint(0, 3, (90,))
for epoch in range(5):
    model.train()
    for index in torch.randperm(90).split(18):
        optimizer.zero_grad()
        F.cross_entropy(model(rows[index]), labels[index]).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        print(f"epoch {epoch} loss {F.cross_entropy(model(rows), labels).item():.4f}")
torch.save({name: weight for name, weight in model.state_dict().items() if name in trained}, "adapters.pt")
