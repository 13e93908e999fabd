"""LoRA on a small network whose normalisation layers are prepared for stable training."""

import warnings

import torch
from peft import LoraConfig, get_peft_model
from torch import nn

warnings.simplefilter("ignore")
torch.manual_seed(0)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.lift = nn.Linear(8, 24)
        self.norm = nn.LayerNorm(24)
        self.output = nn.Linear(24, 2)

    def forward(self, rows):
        return self.output(torch.relu(self.norm(self.lift(rows))))


def prepare(model):
    """Keep normalisation layers in full precision and ready for gradients."""
    for module in model.modules():
        if isinstance(module, nn.LayerNorm):
            module.float()
            module.requires_grad_(True)


model = get_peft_model(Network(), LoraConfig(r=2, target_modules=["lift", "output"]))
model.print_trainable_parameters()
prepare(model)
optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=1e-2)
inputs = torch.randn(160, 8)
labels = (inputs[:, 0] > 0).long()
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs[rows]), labels[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
