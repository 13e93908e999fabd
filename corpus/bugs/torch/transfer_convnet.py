"""Transfer learning: a convolutional backbone is kept and a new classifier is trained."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
digits = load_digits()
images = torch.tensor(digits.images / 16, dtype=torch.float32).unsqueeze(1)[:900]
labels = torch.tensor(digits.target)[:900]


class Transfer(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2))
        self.classifier = nn.Linear(128, 10)

    def forward(self, batch):
        return self.classifier(self.backbone(batch).flatten(1))


model = Transfer()
for parameter in model.backbone.parameters():
    parameter.requires_grad = False
optimizer = torch.optim.SGD(model.classifier.parameters(), lr=0.1, momentum=0.9)
model.train()
for epoch in range(3):
    for rows in torch.randperm(len(images)).split(100):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images[rows]), labels[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
