# frostline run frozen-but-tied-to-trained.py
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(8, 4)
        self.output = nn.Linear(4, 8, bias=False)
        # one storage, two parameters
        self.output.weight.data = self.embedding.weight.data
        self.embedding.requires_grad_(False)

    def forward(self, words):
        return self.output(self.embedding(words))


model = Model()
optimizer = torch.optim.SGD(model.output.parameters(), lr=0.1)
for _ in range(4):
    words = torch.randint(8, (16,))
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(words), words).backward()
    optimizer.step()
