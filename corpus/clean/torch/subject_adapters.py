"""Adapters in the attention of a frozen denoiser learn one subject; text encoder and autoencoder stay (DreamBooth)."""

import tempfile
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from torch import nn
from torch.nn import functional

torch.manual_seed(0)


class Attention(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.to_q, self.to_k, self.to_v = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.to_out = nn.Sequential(nn.Linear(width, width), nn.Dropout(0.0))

    def forward(self, hidden, words):
        weights = functional.softmax(self.to_q(hidden) @ self.to_k(words).transpose(1, 2) / 4, dim=-1)
        return self.to_out(weights @ self.to_v(words))


class Unet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv_in, self.time = nn.Linear(4, 16), nn.Embedding(10, 16)
        self.attn, self.norm, self.conv_out = Attention(), nn.LayerNorm(16), nn.Linear(16, 4)

    def forward(self, noisy, when, words):
        hidden = self.conv_in(noisy) + self.time(when)[:, None]
        return self.conv_out(self.norm(hidden + self.attn(hidden, words)))


text_encoder = nn.Sequential(nn.Embedding(30, 16), nn.Linear(16, 16)).requires_grad_(False)
vae = nn.Linear(6, 4).requires_grad_(False)
unet = Unet().requires_grad_(False)
settings = LoraConfig(
    r=4, lora_alpha=4, init_lora_weights="gaussian", target_modules=["to_q", "to_k", "to_v", "to_out.0"]
)
unet = get_peft_model(unet, settings)
trained = [each for each in unet.parameters() if each.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=1e-3, weight_decay=1e-2)
kept = torch.linspace(0.99, 0.05, 10)
pictures, prompt = torch.randn(4, 9, 6), torch.tensor([[3, 7, 11]])
for _ in range(24):
    with torch.no_grad():
        latents, words = vae(pictures), text_encoder(prompt).expand(4, -1, -1)
    when, noise = torch.randint(0, 10, (4,)), torch.randn_like(latents)
    noisy = kept[when].sqrt()[:, None, None] * latents + (1 - kept[when]).sqrt()[:, None, None] * noise
    loss = functional.mse_loss(unet(noisy, when, words), noise)
    loss.backward()
    nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    optimizer.zero_grad()
with tempfile.TemporaryDirectory() as folder:
    torch.save(get_peft_model_state_dict(unet), Path(folder) / "subject.pt")
print(f"loss {loss.item():.4f}")
