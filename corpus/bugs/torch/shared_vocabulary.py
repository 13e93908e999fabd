"""A next-token model whose word vectors stay as published while the rest is trained."""

import torch
from torch import nn

torch.manual_seed(0)
tokens = torch.randint(0, 30, (80, 11))


class LanguageModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(30, 16)
        self.mixer = nn.GRU(16, 16, batch_first=True)
        self.output = nn.Linear(16, 30, bias=False)

    def forward(self, text):
        states, _ = self.mixer(self.embedding(text))
        return self.output(states)


model = LanguageModel()
model.embedding.weight.requires_grad_(False)
model.output.weight.data = model.embedding.weight.data
optimizer = torch.optim.Adam((p for p in model.parameters() if p.requires_grad), lr=5e-3)

for epoch in range(6):
    for text in tokens.split(16):
        optimizer.zero_grad()
        logits = model(text[:, :-1])
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), text[:, 1:].flatten())
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
