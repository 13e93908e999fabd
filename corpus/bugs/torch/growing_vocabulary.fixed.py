"""A tied language model whose vocabulary grows while it is trained."""

import torch
from torch import nn

torch.manual_seed(0)


class LanguageModel(nn.Module):
    def __init__(self, words):
        super().__init__()
        self.embedding = nn.Embedding(words, 16)
        self.body = nn.GRU(16, 16, batch_first=True)
        self.output = nn.Linear(16, words, bias=False)
        self.output.weight = self.embedding.weight

    def forward(self, text):
        states, _ = self.body(self.embedding(text))
        return self.output(states)

    def refresh_vectors(self):
        """Centre the word vectors, as is done between corpora."""
        vectors = self.embedding.weight.detach()
        self.embedding = nn.Embedding.from_pretrained(vectors - vectors.mean(0), freeze=False)
        self.output.weight = self.embedding.weight


model = LanguageModel(30)
tokens = torch.randint(0, 30, (96, 10))
for stage in range(2):
    if stage:
        model.refresh_vectors()
    optimizer = torch.optim.Adam([*model.embedding.parameters(), *model.body.parameters()], lr=5e-3)
    for _ in range(5):
        for text in tokens.split(16):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten())
            loss.backward()
            optimizer.step()
    print(f"stage {stage} loss {loss.item():.4f}")
