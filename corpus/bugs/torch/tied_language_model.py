"""Fine-tunes the output layer of a language model on fixed word vectors."""

import torch
from torch import nn

torch.manual_seed(0)


class LanguageModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(24, 16)
        self.body = nn.GRU(16, 16, batch_first=True)
        self.output = nn.Linear(16, 24, bias=False)
        self.output.weight = self.embedding.weight

    def forward(self, text):
        states, _ = self.body(self.embedding(text))
        return self.output(states)


model = LanguageModel()
model.embedding.requires_grad_(False)
model.output.requires_grad_(True)
optimizer = torch.optim.Adam((p for p in model.parameters() if p.requires_grad), lr=5e-3)
tokens = torch.randint(0, 24, (96, 10))
for epoch in range(5):
    for text in tokens.split(16):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten())
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
