"""Both views go through one encoder, and a gradient is stopped on each side in turn (SimSiam)."""

import torch
from torch import nn

torch.manual_seed(0)


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            *(nn.Linear(12, 32), nn.BatchNorm1d(32), nn.ReLU(inplace=True)),
            *(nn.Linear(32, 24, bias=False), nn.BatchNorm1d(24, affine=False)),
        )
        self.predictor = nn.Sequential(
            nn.Linear(24, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(inplace=True), nn.Linear(8, 24)
        )

    def forward(self, one, two):
        left, right = self.encoder(one), self.encoder(two)
        return self.predictor(left), self.predictor(right), left.detach(), right.detach()


model = Siamese()
groups = [
    {"params": model.encoder.parameters(), "fix_lr": False},
    {"params": model.predictor.parameters(), "fix_lr": True},
]
optimizer = torch.optim.SGD(groups, lr=0.05, momentum=0.9, weight_decay=1e-4)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 40)
similarity = nn.CosineSimilarity(dim=1)
rows = torch.randn(256, 12)
for _ in range(40):
    batch = rows[torch.randint(0, len(rows), (32,))]
    left, right, first, second = model(batch + 0.1 * torch.randn_like(batch), batch + 0.1 * torch.randn_like(batch))
    loss = -(similarity(left, second).mean() + similarity(right, first).mean()) * 0.5
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()
    for group in optimizer.param_groups:
        if group["fix_lr"]:
            group["lr"] = 0.05
print(f"loss {loss.item():.4f}")
