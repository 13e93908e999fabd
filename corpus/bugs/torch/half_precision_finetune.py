"""Fine-tunes a bfloat16 network with full-precision weights kept by the optimizer."""

import torch
from torch import nn

torch.manual_seed(0)


class HalfOptimizer:
    """AdamW over float32 weights that are copied into the bfloat16 network after every step."""

    def __init__(self, network, lr):
        self.network_parameters = list(network.parameters())
        self.full = [p.detach().float().requires_grad_(p.requires_grad) for p in self.network_parameters]
        self.inner = torch.optim.AdamW([p for p in self.full if p.requires_grad], lr=lr, weight_decay=0.0)

    def reload(self):
        with torch.no_grad():
            for full, half in zip(self.full, self.network_parameters, strict=True):
                full.copy_(half)

    def step(self):
        for full, half in zip(self.full, self.network_parameters, strict=True):
            full.grad = None if half.grad is None else half.grad.float()
            half.grad = None
        self.inner.step()
        with torch.no_grad():
            for full, half in zip(self.full, self.network_parameters, strict=True):
                half.copy_(full)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh())
        self.head = nn.Linear(16, 1)

    def forward(self, inputs):
        return self.head(self.body(inputs))


pretrained = Network().bfloat16().state_dict()
network = Network().bfloat16()
network.body.requires_grad_(False)
optimizer = HalfOptimizer(network, lr=1e-2)
network.load_state_dict(pretrained)

inputs = torch.randn(96, 8).bfloat16()
targets = inputs[:, :1] - inputs[:, 1:2]
for epoch in range(8):
    for batch, target in zip(inputs.split(24), targets.split(24), strict=True):
        loss = nn.functional.mse_loss(network(batch), target)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
