# frostline run tie-broken.py
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
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(8):
    if step == 2:
        # the output keeps the old tensor
        model.embedding = nn.Embedding(8, 4)
        optimizer.add_param_group({"params": model.embedding.parameters()})
    words = torch.randint(8, (16,))
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(words), words).backward()
    optimizer.step()
