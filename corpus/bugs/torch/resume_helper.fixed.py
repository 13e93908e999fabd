"""Fine-tunes a head and prepares the optimizer so that its state could be restored."""

import copy

import torch
from torch import nn

torch.manual_seed(0)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 20), nn.ReLU())
        self.head = nn.Linear(20, 1)

    def forward(self, inputs):
        return self.head(self.backbone(inputs))


def allocate_state(optimizer):
    """Give every parameter its slots before a state dict is loaded into them."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    parameters = [parameter for parameter in parameters if parameter.requires_grad]
    held = [parameter.detach().clone() for parameter in parameters]
    for parameter in parameters:
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return held


inputs = torch.randn(128, 10)
targets = inputs.sum(1, keepdim=True).tanh()
model = Model()
model.backbone.requires_grad_(False)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.05)
allocate_state(optimizer)
saved = copy.deepcopy(optimizer.state_dict())
optimizer.load_state_dict(saved)

for epoch in range(6):
    for batch, target in zip(inputs.split(32), targets.split(32), strict=True):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(batch), target)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
