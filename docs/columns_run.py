"""Five modules, three of which are not what they seem; docs/columns.py draws what frostline sees of them."""

import torch
from torch import nn

torch.manual_seed(0)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(50, 8)
        self.body = nn.Linear(8, 8, bias=False)
        self.adapter = nn.Linear(8, 8, bias=False)
        self.gate = nn.Linear(8, 8, bias=False)
        self.head = nn.Linear(8, 2, bias=False)

    def forward(self, words):
        hidden = self.body(self.embed(words)).mean(1)
        return self.head(hidden + self.adapter(hidden) + self.gate(hidden))


model = Model()
model.body.requires_grad_(False)
held = [*model.embed.parameters(), *model.adapter.parameters(), *model.head.parameters()]  # the gate is forgotten
optimizer = torch.optim.AdamW(held, lr=1e-2, weight_decay=0.1)
for step in range(8):
    if step == 2:
        model.embed.requires_grad_(False)
    words = torch.randint(0, 50, (16, 4))
    optimizer.zero_grad(set_to_none=False)
    nn.functional.cross_entropy(model(words), words[:, 0] % 2).backward()
    optimizer.step()
kept = {name: tensor for name, tensor in model.state_dict().items() if not name.startswith("adapter")}
torch.save(kept, "model.pt")
