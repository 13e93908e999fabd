"""A small language model, trained with averaged SGD; its word vectors are kept after the first epoch."""

import torch
from torch import nn

torch.manual_seed(0)
tokens = torch.randint(0, 5, (60, 9)).cumsum(1) % 32


class LanguageModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(32, 12)
        self.rnn = nn.GRU(12, 16, batch_first=True)
        self.out = nn.Linear(16, 32)

    def forward(self, rows):
        return self.out(self.rnn(self.words(rows))[0])


model = LanguageModel()
optimizer = torch.optim.ASGD(model.parameters(), lr=0.3, lambd=1e-2)

for epoch in range(5):
    if epoch == 1:
        model.words.weight.requires_grad = False
    for rows in torch.randperm(60).split(12):
        optimizer.zero_grad(set_to_none=False)
        scores = model(tokens[rows, :-1])
        loss = nn.functional.cross_entropy(scores.flatten(0, 1), tokens[rows, 1:].flatten())
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
