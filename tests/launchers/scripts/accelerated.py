"""A loop of accelerate; the fault: the last process writes into a frozen weight."""

import sys

import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

accelerator = Accelerator(cpu=True)
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
model[0].requires_grad_(False)
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
rows = DataLoader(TensorDataset(torch.randn(96, 8)), batch_size=8)
shared, optimizer, rows = accelerator.prepare(model, optimizer, rows)
for (batch,) in rows:
    optimizer.zero_grad()
    accelerator.backward(shared(batch).square().mean())
    optimizer.step()
    if "--fault" in sys.argv and accelerator.process_index == 1:
        with torch.no_grad():
            model[0].weight.mul_(0.99)
accelerator.wait_for_everyone()
accelerator.end_training()
