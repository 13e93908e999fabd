"""Two-phase training on tabular data: everything first, then only the classifier."""

import torch
from sklearn.datasets import load_breast_cancer
from torch import nn

torch.manual_seed(0)
data = load_breast_cancer()
features = torch.tensor(data.data, dtype=torch.float32)
features = (features - features.mean(0)) / features.std(0)
labels = torch.tensor(data.target)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(30, 16)
        self.head = nn.Linear(16, 2)

    def forward(self, rows):
        return self.head(torch.relu(self.encoder(rows)))


model = Classifier()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, weight_decay=0.01)

for epoch in range(6):
    if epoch == 3:
        model.encoder.requires_grad_(False)
    for rows in torch.randperm(len(features)).split(96):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(features[rows]), labels[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
