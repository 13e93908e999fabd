"""Sign descent with an optimizer that works on flattened weights."""

import torch
from torch import nn

torch.manual_seed(0)


class SignDescent(torch.optim.Optimizer):
    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    weights = parameter.reshape(-1)
                    weights.sub_(parameter.grad.reshape(-1).sign(), alpha=group["lr"])
                    parameter.copy_(weights.view(parameter.shape))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(10, 24)
        self.last = nn.Linear(24, 1)
        self.first.weight.data = torch.randn(10, 24).mul_(0.3).t()

    def forward(self, rows):
        return self.last(torch.tanh(self.first(rows)))


network = Network()
optimizer = SignDescent(network.parameters(), lr=2e-3)
inputs = torch.randn(160, 10)
targets = inputs[:, :1].abs()
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(network(inputs[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
