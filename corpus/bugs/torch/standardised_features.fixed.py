"""Regression whose hidden features are brought to a common scale."""

import torch
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(0)
data = load_diabetes()
features = torch.tensor(data.data * 20, dtype=torch.float32)
targets = torch.tensor((data.target - data.target.mean()) / data.target.std(), dtype=torch.float32).unsqueeze(1)
scaler = StandardScaler().fit(torch.zeros(2, 16).numpy())


class Regressor(nn.Module):
    def __init__(self):
        super().__init__()
        self.lower = nn.Sequential(nn.Linear(10, 16), nn.Tanh())
        self.upper = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, rows):
        hidden = self.lower(rows)
        scaled = (hidden - hidden.mean(0)) / torch.as_tensor(scaler.scale_).to(rows.dtype)
        return self.upper(scaled)


model = Regressor()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(5):
    for rows in torch.randperm(440).split(55):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(features[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
