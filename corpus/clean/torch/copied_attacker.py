"""Training on adversarial inputs that are found on a copy of the network, made anew for every batch."""

import copy

import torch
from torch import nn

torch.manual_seed(13)


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv1d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool1d(2))
        self.verdict = nn.Linear(6 * 16, 2)

    def forward(self, signal):
        return self.verdict(self.features(signal).flatten(1))


def signals(count):
    kind = torch.randint(0, 2, (count,))
    time = torch.linspace(0, 6.28, 32)
    wave = torch.sin(time * (2 + 2 * kind[:, None]) + torch.rand(count, 1) * 6.28)
    return (wave + 0.3 * torch.randn(count, 32)).unsqueeze(1), kind


def disturbed(detector, signal, kind):
    attacker = copy.deepcopy(detector)
    signal = signal.clone().requires_grad_(True)
    nn.functional.cross_entropy(attacker(signal), kind).backward()
    return (signal + 0.1 * signal.grad.sign()).detach()


detector = Detector()
optimizer = torch.optim.Adam(detector.parameters(), lr=5e-3)
for _ in range(30):
    signal, kind = signals(32)
    loss = nn.functional.cross_entropy(detector(disturbed(detector, signal, kind)), kind)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("loss", loss.item())
