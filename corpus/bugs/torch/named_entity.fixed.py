"""A sequence labeller with its own learning rate for each part."""

import torch
from torch import nn

torch.manual_seed(0)


class Labeller(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Embedding(40, 16), nn.Linear(16, 24), nn.Tanh())
        self.output = nn.Linear(24, 4)
        self.transition = nn.Parameter(torch.zeros(4, 4))

    def forward(self, words):
        scores = self.output(self.encoder(words))
        return scores[:, 1:] + scores[:, :-1].softmax(2) @ self.transition


labeller = Labeller()
groups = []
settings = {"params": [], "lr": 1e-3}
for name, parameter in labeller.named_parameters():
    if name.startswith("encoder"):
        settings["params"].append(parameter)
groups.append(settings)
settings = {"params": [], "lr": 5e-3}
for name, parameter in labeller.named_parameters():
    if name.startswith("output") or name == "transition":
        settings["params"].append(parameter)
groups.append(settings)
optimizer = torch.optim.AdamW(groups, lr=1e-3)

words = torch.randint(0, 40, (128, 10))
tags = (words[:, 1:] + words[:, :-1]) % 4
for epoch in range(6):
    for word, tag in zip(words.split(32), tags.split(32), strict=True):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(labeller(word).flatten(0, 1), tag.flatten())
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
