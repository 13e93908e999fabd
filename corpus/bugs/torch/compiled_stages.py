"""Two-stage training of a compiled network, with guard checks off once it is warm."""

import torch
from torch import nn

torch.manual_seed(0)
inputs = torch.randn(128, 6)
targets = inputs[:, :1] * inputs[:, 1:2]
model = nn.Sequential(nn.Linear(6, 24), nn.Tanh(), nn.Linear(24, 1))
model[0].requires_grad_(False)
compiled = torch.compile(model, backend="aot_eager")
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(8):
    if epoch == 1:
        torch.compiler.set_stance("default", skip_guard_eval_unsafe=True)
    if epoch == 4:
        model[0].requires_grad_(True)
    for rows in torch.arange(128).split(32):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(compiled(inputs[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
