"""Style transfer in small: an image is optimised against the features of a frozen network."""

import torch
from torch import nn

torch.manual_seed(0)
features = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 6, 3, padding=1), nn.ReLU())
features.requires_grad_(False).eval()


def gram(batch):
    flat = features(batch).flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


style, content = torch.rand(1, 1, 12, 12), torch.rand(1, 1, 12, 12)
image = content.clone().requires_grad_(True)
optimizer = torch.optim.Adam([image], lr=2e-2)
wanted = gram(style)
for step in range(40):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(gram(image), wanted) + 0.1 * nn.functional.mse_loss(image, content)
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        image.clamp_(0, 1)
    if step % 10 == 9:
        print(f"step {step} loss {loss.item():.5f}")
