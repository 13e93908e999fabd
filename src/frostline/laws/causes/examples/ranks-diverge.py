# torchrun --nproc-per-node 2 -m frostline run ranks-diverge.py
# frostline combine .frostline.*.json
import torch
import torch.distributed as dist
from torch import nn

dist.init_process_group("gloo")
torch.manual_seed(0)
body, head = nn.Linear(8, 8), nn.Linear(8, 1)
shared = nn.parallel.DistributedDataParallel(body)
parameters = [*body.parameters(), *head.parameters()]
optimizer = torch.optim.SGD(parameters, lr=0.1)

torch.manual_seed(dist.get_rank())  # every process has data of its own
for _ in range(4):
    optimizer.zero_grad()
    head(shared(torch.randn(16, 8))).square().mean().backward()
    optimizer.step()
dist.destroy_process_group()
