"""LoRA on a small mixture of experts."""

import warnings

import torch
from peft import LoraConfig, get_peft_model
from torch import nn

warnings.simplefilter("ignore")
torch.manual_seed(0)


class Mixture(nn.Module):
    def __init__(self):
        super().__init__()
        self.query = nn.Linear(8, 16)
        self.router = nn.Linear(16, 2)
        self.experts = nn.ModuleList(
            nn.ModuleDict({"gate_up": nn.Linear(16, 16), "down": nn.Linear(16, 16)}) for _ in range(2)
        )
        self.output = nn.Linear(16, 3)

    def forward(self, rows):
        hidden = torch.tanh(self.query(rows))
        shares = self.router(hidden).softmax(1)
        mixed = sum(
            shares[:, index : index + 1] * expert["down"](torch.relu(expert["gate_up"](hidden)))
            for index, expert in enumerate(self.experts)
        )
        return self.output(hidden + mixed)


config = LoraConfig(r=4, target_modules=["query", "gate_proj", "up_proj", "down_proj"])
model = get_peft_model(Mixture(), config)
optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=1e-2)
inputs = torch.randn(160, 8)
labels = inputs[:, :3].argmax(1)
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs[rows]), labels[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
