"""Fits a decoder to the codes of a given encoder."""

import torch
from torch import nn

torch.manual_seed(0)


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 4))
        self.decoder = nn.Sequential(nn.Linear(4, 12), nn.ReLU(), nn.Linear(12, 16))

    def forward(self, rows):
        return self.decoder(self.encoder(rows))


model = Autoencoder()
for layer in model.encoder:
    layer.trainable = False
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
rows = torch.randn(160, 4) @ torch.randn(4, 16)
for epoch in range(6):
    for batch in rows.split(32):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(batch), batch)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
