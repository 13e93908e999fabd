"""Data-parallel training, started by torchrun with two processes; the trunk is opened after the first epoch."""

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Linear(6, 12)
        self.head = nn.Linear(12, 1)

    def forward(self, rows):
        return self.head(torch.tanh(self.trunk(rows)))


dist.init_process_group("gloo")
torch.manual_seed(0)
model = Model()
model.trunk.requires_grad_(False)
parallel = DistributedDataParallel(model)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
torch.manual_seed(dist.get_rank() + 1)
for epoch in range(4):
    if epoch == 1:
        model.trunk.requires_grad_(True)
        parallel = DistributedDataParallel(model)
    for _ in range(6):
        rows = torch.randn(32, 6)
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(parallel(rows), rows[:, :1].abs())
        loss.backward()
        optimizer.step()
    if dist.get_rank() == 0:
        print(f"epoch {epoch} loss {loss.item():.4f}")
dist.destroy_process_group()
