"""A recurrent tagger: the word vectors are trained for one epoch, then kept."""

import torch
from torch import nn

torch.manual_seed(0)
words = torch.randint(0, 40, (120, 9))
tags = words % 5


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(40, 12)
        self.encoder = nn.GRU(12, 16, batch_first=True)
        self.output = nn.Linear(16, 5)

    def forward(self, sentence):
        states, _ = self.encoder(self.embedding(sentence))
        return self.output(states)


def clear(parameters):
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.grad.zero_()


tagger = Tagger()
optimizer = torch.optim.SGD(tagger.parameters(), lr=0.1, momentum=0.9)
for epoch in range(6):
    if epoch == 2:
        tagger.embedding.weight.requires_grad_(False)
    for sentence, tag in zip(words.split(24), tags.split(24), strict=True):
        clear(tagger.parameters())
        loss = nn.functional.cross_entropy(tagger(sentence).flatten(0, 1), tag.flatten())
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
