"""Low-rank training with restarts: every dozen steps the adapters are added to the frozen weights and begin anew."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Restarting(nn.Module):
    """A linear layer whose weight is only moved by the low-rank products that it has learned."""

    def __init__(self, inputs, outputs, rank=2):
        super().__init__()
        whole = nn.Linear(inputs, outputs)
        self.weight = nn.Parameter(whole.weight.detach().clone(), requires_grad=False)
        self.bias = whole.bias
        self.down = nn.Linear(inputs, rank, bias=False)
        self.up = nn.Linear(rank, outputs, bias=False)
        nn.init.zeros_(self.up.weight)

    def forward(self, rows):
        return F.linear(rows, self.weight, self.bias) + self.up(self.down(rows))

    @torch.no_grad()
    def restart(self):
        self.weight += self.up.weight @ self.down.weight
        self.down.reset_parameters()
        nn.init.zeros_(self.up.weight)


model = nn.Sequential(Restarting(16, 32), nn.GELU(), Restarting(32, 16), nn.LayerNorm(16), nn.Linear(16, 4))
trained = [weight for weight in model.parameters() if weight.requires_grad]
optimizer = torch.optim.Adam(trained, lr=1e-2)
rows, labels = torch.randn(64, 16), torch.randint(0, 4, (64,))
for step in range(1, 37):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(rows), labels)
    loss.backward()
    optimizer.step()
    if step % 12 == 0:
        print(f"step {step} loss {loss.item():.4f}")
    if step in (12, 24):
        for layer in model:
            if isinstance(layer, Restarting):
                layer.restart()
        optimizer.state.clear()
