"""A variational autoencoder for small images of digits."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class Autoencoder(nn.Module):
    def __init__(self, hidden=24, code=6):
        super().__init__()
        self.fc1 = nn.Linear(64, hidden)
        self.fc21 = nn.Linear(hidden, code)
        self.fc22 = nn.Linear(hidden, code)
        self.fc3 = nn.Linear(code, hidden)
        self.fc4 = nn.Linear(hidden, 64)

    def encode(self, images):
        hidden = F.relu(self.fc1(images))
        return self.fc21(hidden), self.fc22(hidden)

    def forward(self, images):
        mean, log_variance = self.encode(images)
        code = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        return torch.sigmoid(self.fc4(F.relu(self.fc3(code)))), mean, log_variance


torch.manual_seed(0)
images = torch.tensor(load_digits().data[:320] / 16, dtype=torch.float32)
model = Autoencoder()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(3):
    for batch in images.split(32):
        rebuilt, mean, log_variance = model(batch)
        likeness = F.binary_cross_entropy(rebuilt, batch, reduction="sum")
        divergence = -0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())
        loss = (likeness + divergence) / len(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.3f}")
