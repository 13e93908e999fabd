"""Trains a scorer on the features of a critic that was taken from an earlier run."""

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

torch.manual_seed(0)


class Scorer(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(spectral_norm(nn.Linear(10, 32)), nn.LeakyReLU(0.2))
        self.score = nn.Linear(32, 1)

    def forward(self, inputs):
        return self.score(self.features(inputs))


scorer = Scorer()
scorer.features.requires_grad_(False)
scorer.features.eval()
optimizer = torch.optim.RMSprop(scorer.score.parameters(), lr=5e-3)
inputs = torch.randn(150, 10)
wanted = inputs.pow(2).mean(1, keepdim=True)
for epoch in range(6):
    for batch, target in zip(inputs.split(30), wanted.split(30), strict=True):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(scorer(batch), target)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
