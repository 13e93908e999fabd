"""Heavy-ball descent with another rule for matrices than for vectors."""

import torch
from sklearn.datasets import load_diabetes
from torch import nn

torch.manual_seed(0)


class HeavyBall(torch.optim.Optimizer):
    def __init__(self, params, lr, friction=0.1):
        super().__init__(params, {"lr": lr, "friction": friction})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for weight in group["params"]:
                speed = self.state[weight].setdefault("speed", torch.zeros_like(weight))
                speed.mul_(1 - group["friction"]).sub_(weight.grad)
                if weight.ndim > 1:
                    weight += group["lr"] * speed / weight.shape[0] ** 0.5
                else:
                    weight += group["lr"] * speed


data = load_diabetes()
features = torch.tensor(data.data * 20, dtype=torch.float32)
targets = torch.tensor((data.target - data.target.mean()) / data.target.std(), dtype=torch.float32).unsqueeze(1)
model = nn.Sequential(nn.Linear(10, 16), nn.Tanh(), nn.Linear(16, 1))
optimizer = HeavyBall(model.parameters(), lr=5e-3)
for epoch in range(5):
    for rows in torch.randperm(440).split(55):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(features[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
