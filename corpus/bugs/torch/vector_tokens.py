"""Trains a classifier on the tokens of a pretrained vector-quantising tokenizer."""

import torch
from torch import nn

torch.manual_seed(0)


class Tokenizer(nn.Module):
    def __init__(self, codes=16, width=8):
        super().__init__()
        self.project = nn.Linear(6, width)
        self.register_buffer("codebook", torch.randn(codes, width))
        self.register_buffer("usage", torch.ones(codes))

    def forward(self, inputs):
        latents = self.project(inputs)
        index = torch.cdist(latents, self.codebook).argmin(1)
        if self.training:
            with torch.no_grad():
                hot = nn.functional.one_hot(index, len(self.codebook)).to(latents.dtype)
                self.usage.mul_(0.99).add_(hot.sum(0), alpha=0.01)
                means = hot.t() @ latents / hot.sum(0).clamp(min=1).unsqueeze(1)
                used = hot.sum(0) > 0
                self.codebook[used] = self.codebook[used].lerp(means[used], 0.01)
        return self.codebook[index]


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokenizer = Tokenizer()
        self.tokenizer.requires_grad_(False)
        self.head = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))

    def forward(self, inputs):
        return self.head(self.tokenizer(inputs))


inputs = torch.randn(200, 6)
labels = (inputs[:, 0] > 0).long()
model = Classifier()
optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=5e-3)
for epoch in range(6):
    for batch, label in zip(inputs.split(40), labels.split(40), strict=True):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(batch), label)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
