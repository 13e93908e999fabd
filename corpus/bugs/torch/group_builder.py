"""A detector-style training script with biases, norms and weights in groups of their own."""

import torch
from torch import nn

torch.manual_seed(0)


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(12, 24), nn.LayerNorm(24), nn.ReLU())
        self.head = nn.Sequential(nn.LayerNorm(24), nn.Linear(24, 4))

    def forward(self, rows):
        return self.head(self.backbone(rows))


detector = Detector()
freeze = [name for name, _ in detector.named_parameters() if name.startswith("backbone.")]
for name, parameter in detector.named_parameters():
    if name in freeze:
        parameter.requires_grad = False

biases, norms, weights = [], [], []
for name, parameter in detector.named_parameters():
    parameter.requires_grad = True
    if name.endswith("bias"):
        biases.append(parameter)
    elif parameter.ndim == 1:
        norms.append(parameter)
    else:
        weights.append(parameter)
optimizer = torch.optim.SGD(norms, lr=0.05, momentum=0.9, nesterov=True)
optimizer.add_param_group({"params": weights, "weight_decay": 5e-4})
optimizer.add_param_group({"params": biases})

inputs = torch.randn(160, 12)
targets = inputs[:, :4].abs()
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(detector(inputs[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
