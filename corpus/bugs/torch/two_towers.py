"""A recommender with a tower for users and a tower for items, trained on whether they go together."""

import torch
import torch.nn.functional as F
from torch import nn


class Recommender(nn.Module):
    def __init__(self, users, items, width=12):
        super().__init__()
        self.users = nn.Embedding(users, width)
        self.items = nn.Embedding(items, width)
        self.user_tower = nn.Sequential(nn.Linear(width, 24), nn.ReLU(), nn.Linear(24, width))
        self.item_tower = nn.Sequential(nn.Linear(width, 24), nn.ReLU(), nn.Linear(24, width))
        self.score = nn.Linear(2 * width, 1)

    def forward(self, user, item):
        user = self.users(user)
        item = self.items(item)
        sides = self.user_tower(user), self.item_tower(item)
        return self.score(torch.cat([sides[0], item], dim=-1)).squeeze(-1)


torch.manual_seed(0)
model = Recommender(users=30, items=20)
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
user, item = torch.randint(0, 30, (160,)), torch.randint(0, 20, (160,))
liked = ((user + item) % 3 == 0).float()
for epoch in range(3):
    for index in torch.randperm(160).split(20):
        loss = F.binary_cross_entropy_with_logits(model(user[index], item[index]), liked[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
