"""Sequence to sequence with attention and teacher forcing that fades out."""

import torch
from torch import nn

torch.manual_seed(0)


class Translator(nn.Module):
    def __init__(self, words=12, width=16):
        super().__init__()
        self.source, self.target = nn.Embedding(words, width), nn.Embedding(words, width)
        self.encoder = nn.GRU(width, width, batch_first=True)
        self.decoder = nn.GRUCell(2 * width, width)
        self.output = nn.Linear(width, words)

    def forward(self, text, wanted, forcing):
        states, last = self.encoder(self.source(text))
        hidden, word, scores = last[0], torch.zeros(len(text), dtype=torch.long), []
        for index in range(wanted.shape[1]):
            shares = (states @ hidden.unsqueeze(2)).softmax(1)
            context = (states * shares).sum(1)
            hidden = self.decoder(torch.cat([self.target(word), context], dim=1), hidden)
            scores.append(self.output(hidden))
            word = wanted[:, index] if torch.rand(()) < forcing else scores[-1].argmax(1)
        return torch.stack(scores, dim=1)


model = Translator()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
text = torch.randint(1, 12, (96, 6))
wanted = text.flip(1)
for epoch in range(4):
    for rows in torch.randperm(96).split(16):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(
            model(text[rows], wanted[rows], 1 - 0.2 * epoch).flatten(0, 1), wanted[rows].flatten()
        )
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
