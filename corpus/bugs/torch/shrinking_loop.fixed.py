"""A word tagger on fixed vectors, whose loop decays the weights itself before each plain step."""

import torch
from torch import nn

torch.manual_seed(21)
RATE, DECAY = 0.1, 0.05


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.vectors = nn.Embedding(40, 12)
        self.mixer = nn.GRU(12, 16, batch_first=True)
        self.tags = nn.Linear(16, 4)

    def forward(self, words):
        states, _ = self.mixer(self.vectors(words))
        return self.tags(states)


tagger = Tagger()
with torch.no_grad():
    tagger.vectors.weight.copy_(torch.randn(40, 12) / 3)
tagger.vectors.weight.requires_grad_(False)
optimizer = torch.optim.SGD([each for each in tagger.parameters() if each.requires_grad], lr=RATE)

for _ in range(30):
    words = torch.randint(0, 40, (16, 6))
    loss = nn.functional.cross_entropy(tagger(words).flatten(0, 1), words.flatten() % 4)
    optimizer.zero_grad()
    loss.backward()
    with torch.no_grad():
        for weight in (each for each in tagger.parameters() if each.requires_grad):
            weight.mul_(1 - RATE * DECAY)
    optimizer.step()
print("loss", loss.item())
