# frostline run tied-names-disagree.py
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(8, 4)
        self.output = nn.Linear(4, 8, bias=False)
        self.output.weight = self.embedding.weight

    def forward(self, words):
        return self.output(self.embedding(words))


model = Model()
model.embedding.requires_grad_(False)
model.output.requires_grad_(True)  # the same tensor: the last call wins
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(4):
    words = torch.randint(8, (16,))
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(words), words).backward()
    optimizer.step()
