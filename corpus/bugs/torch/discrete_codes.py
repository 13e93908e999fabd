"""An autoencoder with integer codes."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
images = torch.tensor(load_digits().data[:800] / 16, dtype=torch.float32)


class Codec(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 8))
        self.decoder = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 64))

    def forward(self, batch):
        code = self.encoder(batch) * 4
        return self.decoder(code.round() / 4)


codec = Codec()
optimizer = torch.optim.Adam(codec.parameters(), lr=2e-3)
for epoch in range(4):
    for rows in torch.randperm(800).split(100):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(codec(images[rows]), images[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
