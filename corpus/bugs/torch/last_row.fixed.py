"""Adds one token to a frozen text classifier and trains its vector together with the output layer."""

import torch
from torch import nn

torch.manual_seed(0)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.vectors = nn.Embedding(31, 12)
        self.output = nn.Linear(12, 2)

    def forward(self, text):
        return self.output(self.vectors(text).mean(1))


model = Classifier()
model.vectors.requires_grad_(False)
model.vectors.weight.requires_grad_(True)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
texts = torch.randint(0, 30, (160, 6))
labels = torch.randint(0, 2, (160,))
texts[labels == 1, 0] = 30
for epoch in range(6):
    for text, label in zip(texts.split(32), labels.split(32), strict=True):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(text), label)
        loss.backward()
        model.vectors.weight.grad[:-1] = 0
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
