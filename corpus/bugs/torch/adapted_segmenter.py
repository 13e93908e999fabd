"""Adapts a dense predictor to another domain while its last layer is kept."""

import torch
from torch import nn

torch.manual_seed(0)


class Segmenter(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 6, 3, padding=1), nn.ReLU())
        self.last = nn.Conv2d(6, 1, 1)

    def forward(self, image):
        return self.last(self.body(image))


segmenter = Segmenter()
segmenter.last.requires_grad = False
optimizer = torch.optim.Adam(segmenter.parameters(), lr=3e-3)
images = torch.rand(60, 1, 10, 10)
masks = (images > 0.6).to(images.dtype)
for epoch in range(5):
    for rows in torch.randperm(60).split(12):
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(segmenter(images[rows]), masks[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
