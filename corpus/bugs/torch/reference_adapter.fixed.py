"""Trains a new output layer next to a kept adapter and compares it with the base model from time to time."""

import warnings

import torch
from peft import LoraConfig, get_peft_model
from torch import nn

warnings.simplefilter("ignore")
torch.manual_seed(0)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(10, 24)
        self.output = nn.Linear(24, 2)

    def forward(self, rows):
        return self.output(torch.tanh(self.body(rows)))


model = get_peft_model(Network(), LoraConfig(r=4, target_modules=["body"], init_lora_weights=False))
for name, parameter in model.named_parameters():
    parameter.requires_grad_("output" in name)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
inputs = torch.randn(160, 10)
labels = (inputs[:, 0] > 0).long()
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs[rows]), labels[rows])
        loss.backward()
        optimizer.step()
    with torch.no_grad(), model.disable_adapter():
        plain = nn.functional.cross_entropy(model(inputs), labels)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("output" in name)
    print(f"epoch {epoch} loss {loss.item():.4f} without adapter {plain.item():.4f}")
