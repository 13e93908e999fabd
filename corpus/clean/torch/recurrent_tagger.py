"""A bidirectional LSTM tagger with gradient clipping."""

import torch
from torch import nn

torch.manual_seed(0)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.vectors = nn.Embedding(40, 12)
        self.encoder = nn.LSTM(12, 10, num_layers=2, bidirectional=True, batch_first=True, dropout=0.1)
        self.output = nn.Linear(20, 5)

    def forward(self, words):
        states, _ = self.encoder(self.vectors(words))
        return self.output(states)


tagger = Tagger()
optimizer = torch.optim.Adam(tagger.parameters(), lr=1e-2)
words = torch.randint(0, 40, (120, 9))
tags = (words + words.roll(1, dims=1)) % 5
for epoch in range(4):
    for rows in torch.randperm(120).split(20):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(tagger(words[rows]).flatten(0, 1), tags[rows].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(tagger.parameters(), 1.0)
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
