"""A small transformer whose backbone is frozen at first, whose last block is opened and whose embedding is closed."""

import torch
from torch import nn

torch.manual_seed(0)


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, 4, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, tokens):
        normed = self.norm(tokens)
        tokens = tokens + self.attention(normed, normed, normed, need_weights=False)[0]
        return tokens + self.mlp(tokens)


class Model(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.embed = nn.Embedding(400, width)
        self.backbone = nn.ModuleList(Block(width) for _ in range(3))
        self.norm = nn.BatchNorm1d(width)
        self.head = nn.Linear(width, 10)

    def forward(self, words):
        tokens = self.embed(words)
        for block in self.backbone:
            tokens = block(tokens)
        return self.head(self.norm(tokens.mean(1)))


model = Model()
model.backbone.requires_grad_(False)
model.norm.requires_grad_(False)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.1)
for step in range(40):
    if step == 10:
        model.backbone[2].requires_grad_(True)
    if step == 25:
        model.embed.requires_grad_(False)
    words = torch.randint(0, 400, (16, 12))
    optimizer.zero_grad(set_to_none=False)
    nn.functional.cross_entropy(model(words), words[:, 0] % 10).backward()
    optimizer.step()
