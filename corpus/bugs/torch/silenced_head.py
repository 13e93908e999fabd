"""Two losses on one body: the class, and the age with a weight from the settings."""

import torch
from torch import nn

torch.manual_seed(0)
settings = {"class": 1.0, "age": 0.0}
rows_in = torch.randn(240, 10)
classes, ages = (rows_in[:, 0] > 0).long(), rows_in[:, 1:3].sum(1, keepdim=True)


class Joint(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(10, 24), nn.ReLU())
        self.kind = nn.Linear(24, 2)
        self.age = nn.Linear(24, 1)

    def forward(self, rows):
        hidden = self.body(rows)
        return self.kind(hidden), self.age(hidden)


model = Joint()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, weight_decay=1e-2)
for epoch in range(5):
    for rows in torch.randperm(240).split(40):
        kinds, guesses = model(rows_in[rows])
        loss = settings["class"] * nn.functional.cross_entropy(kinds, classes[rows])
        loss = loss + settings["age"] * nn.functional.mse_loss(guesses, ages[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
