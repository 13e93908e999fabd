"""Regression with a pretrained encoder and an optimizer that averages over every fifth step."""

import torch
from sklearn.datasets import load_diabetes
from torch import nn

torch.manual_seed(0)
data = load_diabetes()
features = torch.tensor(data.data * 20, dtype=torch.float32)
targets = torch.tensor((data.target - data.target.mean()) / data.target.std(), dtype=torch.float32).unsqueeze(1)


class Lookahead:
    def __init__(self, optimizer, interval=5, rate=0.5):
        self.optimizer, self.interval, self.rate, self.count = optimizer, interval, rate, 0
        self.slow = [[p.detach().clone() for p in group["params"]] for group in optimizer.param_groups]

    def step(self):
        self.optimizer.step()
        self.count += 1
        if self.count % self.interval:
            return
        for group, slow_group in zip(self.optimizer.param_groups, self.slow, strict=True):
            for fast, slow in zip(group["params"], slow_group, strict=True):
                slow.add_(fast.detach() - slow, alpha=self.rate)
                fast.data.copy_(slow)


class Regressor(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(10, 24)
        self.head = nn.Linear(24, 1)

    def forward(self, rows):
        return self.head(torch.tanh(self.encoder(rows)))


published = Regressor()
model = Regressor()
model.encoder.requires_grad_(False)
model.encoder.load_state_dict(published.encoder.state_dict())
optimizer = Lookahead(torch.optim.SGD(model.parameters(), lr=0.02))

for epoch in range(6):
    for rows in torch.randperm(len(features)).split(64):
        optimizer.optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(features[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
