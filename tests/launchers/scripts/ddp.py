"""DistributedDataParallel under torchrun; the fault: the last process writes into a frozen weight."""

import sys

import torch
import torch.distributed as dist
from torch import nn

dist.init_process_group("gloo")
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
model[0].requires_grad_(False)
shared = nn.parallel.DistributedDataParallel(model)
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
torch.manual_seed(dist.get_rank())
for _ in range(6):
    optimizer.zero_grad()
    shared(torch.randn(8, 8)).square().mean().backward()
    optimizer.step()
    if "--fault" in sys.argv and dist.get_rank() == 1:
        with torch.no_grad():
            model[0].weight.mul_(0.99)
dist.barrier()
dist.destroy_process_group()
