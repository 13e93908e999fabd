"""Predicts a noisy wave with an LSTM."""

import argparse

import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--clip", type=float, default=0.0)
parser.add_argument("--epochs", type=int, default=5)
options = parser.parse_args()

torch.manual_seed(0)
wave = torch.sin(torch.arange(600) * 0.2) + torch.randn(600) * 0.05
windows = wave.unfold(0, 21, 4).unsqueeze(2)


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTM(1, 16, batch_first=True)
        self.output = nn.Linear(16, 1)

    def forward(self, window):
        states, _ = self.cell(window)
        return self.output(states[:, -1])


model = Forecaster()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(options.epochs):
    for rows in torch.randperm(len(windows)).split(24):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(windows[rows, :-1]), windows[rows, -1])
        loss.backward()
        if options.clip > 0:
            nn.utils.clip_grad_norm_(model.parameters(), options.clip)
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
