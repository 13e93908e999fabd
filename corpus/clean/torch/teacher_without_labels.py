"""A student follows the centred, sharpened output of its own average; the last layer waits for an epoch (DINO)."""

import torch
from torch import nn
from torch.nn import functional

torch.manual_seed(0)
PROTOTYPES = 24


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(32, 48), nn.GELU(), nn.Linear(48, 16))
        self.last_layer = nn.utils.parametrizations.weight_norm(nn.Linear(16, PROTOTYPES, bias=False))
        self.last_layer.parametrizations.weight.original0.data.fill_(1)
        self.last_layer.parametrizations.weight.original0.requires_grad = False

    def forward(self, features):
        return self.last_layer(functional.normalize(self.mlp(features), dim=-1))


class Loss(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("center", torch.zeros(1, PROTOTYPES))

    def forward(self, student, teacher):
        wanted = functional.softmax((teacher - self.center) / 0.04, dim=-1).detach()
        loss = torch.sum(-wanted * functional.log_softmax(student / 0.1, dim=-1), dim=-1).mean()
        self.update_center(teacher)
        return loss

    @torch.no_grad()
    def update_center(self, teacher):
        self.center = self.center * 0.9 + teacher.mean(0, keepdim=True) * 0.1


student = nn.Sequential(nn.Linear(12, 32), nn.LayerNorm(32), nn.GELU(), Head())
teacher = nn.Sequential(nn.Linear(12, 32), nn.LayerNorm(32), nn.GELU(), Head())
teacher.load_state_dict(student.state_dict())
for parameter in teacher.parameters():
    parameter.requires_grad = False
objective = Loss()
decayed = [each for each in student.parameters() if each.requires_grad and each.ndim > 1]
plain = [each for each in student.parameters() if each.requires_grad and each.ndim == 1]
optimizer = torch.optim.AdamW([{"params": decayed}, {"params": plain, "weight_decay": 0.0}], lr=2e-3)
rows = torch.randn(256, 12)
for step in range(48):
    epoch, momentum = step // 8, 0.99
    batch = rows[torch.randint(0, len(rows), (32,))]
    one, two = batch + 0.2 * torch.randn_like(batch), batch + 0.2 * torch.randn_like(batch)
    loss = objective(student(one), teacher(two))
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(student.parameters(), 3.0)
    if epoch < 1:
        for name, parameter in student.named_parameters():
            if "last_layer" in name:
                parameter.grad = None
    optimizer.step()
    with torch.no_grad():
        for averaged, trained in zip(teacher.parameters(), student.parameters(), strict=True):
            averaged.data.mul_(momentum).add_((1 - momentum) * trained.detach().data)
print(f"loss {loss.item():.4f}")
