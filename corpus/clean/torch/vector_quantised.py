"""A vector-quantised autoencoder whose codebook is meant to be averaged in the forward pass."""

import torch
from torch import nn

torch.manual_seed(0)


class Quantiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("codebook", torch.randn(16, 4))

    def forward(self, latents):
        index = torch.cdist(latents, self.codebook).argmin(1)
        if self.training:
            with torch.no_grad():
                for code in index.unique():
                    self.codebook[code] = self.codebook[code].lerp(latents[index == code].mean(0), 0.05)
        chosen = self.codebook[index]
        return latents + (chosen - latents).detach(), (latents - chosen).pow(2).mean()


encoder = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 4))
quantiser = Quantiser()
decoder = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 10))
optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=5e-3)
rows = torch.randn(160, 3) @ torch.randn(3, 10)
for epoch in range(6):
    for batch in rows.split(32):
        optimizer.zero_grad()
        codes, commitment = quantiser(encoder(batch))
        loss = nn.functional.mse_loss(decoder(codes), batch) + 0.25 * commitment
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
