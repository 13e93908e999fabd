"""A small convolutional network whose stem is closed after the first epochs."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
digits = load_digits()
images = torch.tensor(digits.images / 16, dtype=torch.float32).unsqueeze(1)[:960]
labels = torch.tensor(digits.target)[:960]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.head = nn.Linear(8 * 16, 10)

    def forward(self, batch):
        return self.head(self.stem(batch).flatten(1))


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)

for epoch in range(4):
    if epoch == 2:
        for parameter in net.stem.parameters():
            parameter.requires_grad = False
    for rows in torch.randperm(len(images)).split(96):
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(net(images[rows]), labels[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
