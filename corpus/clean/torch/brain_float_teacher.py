"""A mean teacher in bfloat16: most of what its average moves by is rounding, and some of it moves only once."""

import copy

import torch
from torch import nn

torch.manual_seed(0)
inputs = torch.randn(192, 12)
labels = (inputs[:, :3]).argmax(dim=1)
encoder = nn.Sequential(nn.Linear(12, 32), nn.GELU())
student = nn.Sequential(encoder, nn.Linear(32, 32), nn.GELU(), nn.Linear(32, 3)).to(torch.bfloat16)
encoder.requires_grad_(False)
teacher = copy.deepcopy(student).requires_grad_(False).eval()
optimizer = torch.optim.AdamW([weight for weight in student.parameters() if weight.requires_grad], lr=5e-3)
for epoch in range(5):
    for rows in torch.randperm(192).split(32):
        clean = inputs[rows].to(torch.bfloat16)
        with torch.no_grad():
            wanted = teacher(clean).float().softmax(1)
        scores = student(clean + 0.1 * torch.randn_like(clean)).float()
        loss = nn.functional.cross_entropy(scores, labels[rows]) + (scores.softmax(1) - wanted).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for slow, fast in zip(teacher.parameters(), student.parameters(), strict=True):
                slow.mul_(0.99).add_(fast, alpha=0.01)
    print(f"epoch {epoch} loss {loss.item():.4f}")
