"""Fine-tunes the decoder of a weight-normalised convolutional autoencoder."""

import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

torch.manual_seed(0)


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(weight_norm(nn.Conv1d(1, 6, 5, stride=2, padding=2)), nn.ELU())
        self.decoder = weight_norm(nn.ConvTranspose1d(6, 1, 4, stride=2, padding=1))

    def forward(self, sound):
        return self.decoder(self.encoder(sound))


model = Autoencoder()
for name, parameter in model.encoder.named_parameters():
    if name.rpartition(".")[2] in ("weight", "bias"):
        parameter.requires_grad = False
optimizer = torch.optim.Adam((p for p in model.parameters() if p.requires_grad), lr=5e-3)
time = torch.arange(32) * 0.4
sounds = torch.sin(time + torch.rand(120, 1) * 6).unsqueeze(1)
for epoch in range(6):
    for rows in torch.randperm(120).split(24):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(sounds[rows]), sounds[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
