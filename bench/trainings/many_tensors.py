"""A model of many tiny tensors, half of them frozen: processor time of each iteration and the record's size, as JSON.

Arguments: how many tensors, how many steps, the file to write that to.
"""

import json
import sys
import time
from pathlib import Path

import torch
from torch import nn

tensors, steps = int(sys.argv[1]), int(sys.argv[2])
RECORD = Path(".frostline.json")
torch.set_num_threads(1)
torch.manual_seed(0)


class Many(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(tensors // 2)])

    def forward(self, x):
        return torch.stack([layer(x) for layer in self.layers]).mean()


model = Many()
for layer in model.layers[::2]:
    layer.requires_grad_(False)
optimizer = torch.optim.SGD([each for each in model.parameters() if each.requires_grad], lr=1.0)
x, iterations, sizes = torch.ones(1, 2), [], []
for _ in range(steps):
    started = time.process_time()
    optimizer.zero_grad()
    model(x).backward()
    optimizer.step()
    iterations.append(time.process_time() - started)
    sizes.append(RECORD.stat().st_size if RECORD.exists() else 0)
Path(sys.argv[3]).write_text(json.dumps({"iterations": iterations, "sizes": sizes}))
