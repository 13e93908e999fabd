"""A denoiser with an average of its weights that is put in to draw samples, and taken out again (as diffusers does)."""

import copy

import torch
from torch import nn
from torch.nn import functional

torch.manual_seed(0)


class Average:
    def __init__(self, parameters, decay=0.995):
        self.shadow_params = [each.clone().detach() for each in parameters]
        self.decay, self.steps, self.temp_stored_params = decay, 0, None

    @torch.no_grad()
    def step(self, parameters):
        self.steps += 1
        rate = 1 - min(self.decay, (1 + self.steps) / (10 + self.steps))
        for shadow, parameter in zip(self.shadow_params, parameters, strict=True):
            if parameter.requires_grad:
                shadow.sub_(rate * (shadow - parameter))
            else:
                shadow.copy_(parameter)

    def copy_to(self, parameters):
        for shadow, parameter in zip(self.shadow_params, parameters, strict=True):
            parameter.data.copy_(shadow.to(parameter.device).data)

    def store(self, parameters):
        self.temp_stored_params = [each.detach().cpu().clone() for each in parameters]

    def restore(self, parameters):
        for stored, parameter in zip(self.temp_stored_params, parameters, strict=True):
            parameter.data.copy_(stored.data)
        self.temp_stored_params = None


class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.time = nn.Embedding(20, 16)
        self.first, self.norm, self.last = nn.Linear(2, 16), nn.LayerNorm(16), nn.Linear(16, 2)

    def forward(self, noisy, when):
        return self.last(functional.silu(self.norm(self.first(noisy) + self.time(when))))


unet = Denoiser()
average = Average(unet.parameters())
optimizer = torch.optim.AdamW(unet.parameters(), lr=2e-3, weight_decay=1e-2)
kept = torch.linspace(0.99, 0.05, 20)
for epoch in range(4):
    unet.train()
    for _ in range(12):
        clean, when = torch.randn(64, 2).sign() + 0.1 * torch.randn(64, 2), torch.randint(0, 20, (64,))
        noise = torch.randn_like(clean)
        noisy = kept[when].sqrt()[:, None] * clean + (1 - kept[when]).sqrt()[:, None] * noise
        loss = functional.mse_loss(unet(noisy, when), noise)
        loss.backward()
        nn.utils.clip_grad_norm_(unet.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        average.step(unet.parameters())
    average.store(unet.parameters())
    average.copy_to(unet.parameters())
    unet.eval()
    with torch.no_grad():
        drawn = torch.randn(32, 2)
        for when in range(19, -1, -1):
            drawn = drawn - 0.1 * unet(drawn, torch.full((32,), when))
    average.restore(unet.parameters())
    print(f"epoch {epoch} loss {loss.item():.4f} spread {drawn.std().item():.4f}")
average.copy_to(unet.parameters())
final = copy.deepcopy(unet)
