"""A segmentation decoder on an encoder whose weights come from a file; the encoder stays as it is."""

import tempfile
from pathlib import Path

import torch
from torch import nn

torch.manual_seed(0)


def block(inside, outside):
    return nn.Sequential(nn.Conv2d(inside, outside, 3, padding=1), nn.ReLU())


class Segmenter(nn.Module):
    def __init__(self, path):
        super().__init__()
        self.encoder = nn.Sequential(block(1, 8), block(8, 12))
        self.decoder = nn.Sequential(block(12, 8), nn.Conv2d(8, 2, 1))
        self.encoder.load_state_dict(torch.load(path))
        self.encoder.requires_grad_(False)
        self.apply(self.initialise)

    @staticmethod
    def initialise(module):
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
            nn.init.zeros_(module.bias)

    def forward(self, images):
        return self.decoder(self.encoder(images))


with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "encoder.pt"
    published = nn.Sequential(block(1, 8), block(8, 12))
    for weight in published.parameters():
        nn.init.normal_(weight, mean=0.05, std=0.2)
    torch.save(published.state_dict(), path)
    model = Segmenter(path)

optimizer = torch.optim.Adam(model.decoder.parameters(), lr=5e-3)
images = torch.randn(60, 1, 12, 12)
masks = (images[:, 0] > 0.4).long()
for epoch in range(5):
    for rows in torch.randperm(60).split(12):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images[rows]), masks[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
