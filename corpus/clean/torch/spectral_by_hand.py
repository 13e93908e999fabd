"""A critic whose layers keep the vectors of the power iteration as parameters without gradient, as older code does."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Spectral(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        weight = layer.weight
        del layer._parameters["weight"]
        layer.register_parameter("weight_bar", nn.Parameter(weight.data))
        for side, size in zip("uv", weight.flatten(1).shape, strict=True):
            vector = F.normalize(torch.randn(size), dim=0)
            layer.register_parameter(f"weight_{side}", nn.Parameter(vector, requires_grad=False))

    def forward(self, batch):
        layer = self.layer
        matrix = layer.weight_bar.flatten(1)
        layer.weight_v.data = F.normalize(matrix.data.T @ layer.weight_u.data, dim=0)
        layer.weight_u.data = F.normalize(matrix.data @ layer.weight_v.data, dim=0)
        layer.weight = layer.weight_bar / (layer.weight_u @ matrix @ layer.weight_v)
        return layer.forward(batch)


critic = nn.Sequential(Spectral(nn.Linear(6, 24)), nn.LeakyReLU(0.1), Spectral(nn.Linear(24, 1)))
maker = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 6))
criticism = torch.optim.Adam([weight for weight in critic.parameters() if weight.requires_grad], lr=2e-3)
making = torch.optim.Adam(maker.parameters(), lr=2e-3)
for step in range(24):
    real, noise = torch.randn(32, 6).abs(), torch.randn(32, 4)
    criticism.zero_grad()
    loss = F.relu(1 - critic(real)).mean() + F.relu(1 + critic(maker(noise).detach())).mean()
    loss.backward()
    criticism.step()
    making.zero_grad()
    (-critic(maker(noise)).mean()).backward()
    making.step()
    if step % 8 == 7:
        print(f"step {step} loss {loss.item():.4f}")
