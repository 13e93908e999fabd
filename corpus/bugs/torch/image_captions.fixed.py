"""Predicts the next symbol of a sequence from an image and the symbols so far."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
digits = load_digits()
images = torch.tensor(digits.data[:600] / 16, dtype=torch.float32)
labels = torch.tensor(digits.target[:600])
symbols = torch.stack([labels, (labels + 1) % 10, (labels * 2) % 10], dim=1)


class Captioner(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 16))
        self.vectors = nn.Embedding(10, 16)
        self.decoder = nn.GRU(16, 16, batch_first=True)
        self.output = nn.Linear(16, 10)

    def forward(self, image, symbol):
        start = self.encoder(image)
        states, _ = self.decoder(self.vectors(symbol), start.unsqueeze(0))
        return self.output(states)


model = Captioner()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(4):
    for rows in torch.randperm(600).split(75):
        optimizer.zero_grad()
        logits = model(images[rows], symbols[rows, :-1])
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), symbols[rows, 1:].flatten())
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
