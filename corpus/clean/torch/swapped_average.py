"""Fine-tuning with a frozen encoder: each evaluation loads the averaged weights, then the trained ones."""

import copy

import torch
from torch import nn

torch.manual_seed(19)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(9, 32), nn.Tanh(), nn.Linear(32, 16))
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        return self.head(torch.tanh(self.encoder(x)))


def batch(count=32):
    x = torch.randn(count, 9)
    return x, x.view(count, 3, 3).sum(2).argmax(1)


model = Classifier()
model.encoder.requires_grad_(False)
average = copy.deepcopy(model.state_dict())
optimizer = torch.optim.Adam(model.head.parameters(), lr=1e-2)
for epoch in range(6):
    for _ in range(8):
        x, y = batch()
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for name, weight in model.state_dict().items():
            average[name] = 0.97 * average[name] + 0.03 * weight
    trained = copy.deepcopy(model.state_dict())
    model.load_state_dict(average)
    with torch.no_grad():
        x, y = batch(200)
        accuracy = (model(x).argmax(1) == y).float().mean().item()
    model.load_state_dict(trained)
    print(f"epoch {epoch} accuracy {accuracy:.3f}")
