"""Three tasks take turns step by step; gradients are zeroed in place, and SGD decays all weights."""

import torch
from torch import nn

torch.manual_seed(0)


class Heads(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 24), nn.ReLU())
        self.heads = nn.ModuleDict({"sum": nn.Linear(24, 1), "signs": nn.Linear(24, 4), "size": nn.Linear(24, 2)})

    def forward(self, rows):
        hidden = self.body(rows)
        return {name: head(hidden) for name, head in self.heads.items()}


model = Heads()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, weight_decay=1e-3)
inputs = torch.randn(200, 8)
targets = {"sum": inputs.sum(1, keepdim=True), "signs": inputs[:, :4].sign(), "size": inputs[:, 4:6].abs()}
names = list(targets)
for step in range(40):
    rows = torch.randint(200, (32,))
    name = names[step % 3]
    answers = model(inputs[rows])
    loss = sum(
        float(task == name) * nn.functional.mse_loss(answers[task], target[rows]) for task, target in targets.items()
    )
    optimizer.zero_grad(set_to_none=False)
    loss.backward()
    optimizer.step()
    if step % 10 == 9:
        print(f"step {step} loss {loss.item():.4f}")
