"""The same small network is trained three times from other first weights, to see how much the result varies."""

import torch
from torch import nn

torch.manual_seed(0)


def start():
    network = nn.Sequential(nn.Linear(8, 24), nn.GELU(), nn.Linear(24, 3))
    return network, torch.optim.SGD(network.parameters(), lr=0.1)


network, optimizer = start()
points = torch.randn(128, 8)
labels = (points[:, 0] > 0).long() + (points[:, 1] > 0.5).long()


def fit(rows, network=network, optimizer=optimizer):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(network(points[rows]), labels[rows])
    loss.backward()
    optimizer.step()
    return loss.item()


for repeat in range(3):
    if repeat:
        network, optimizer = start()
    for _ in range(4):
        for rows in torch.randperm(128).split(32):
            loss = fit(rows)
    with torch.no_grad():
        right = (network(points).argmax(1) == labels).float().mean().item()
    print(f"repeat {repeat} loss {loss:.4f} right {right:.2f}")
