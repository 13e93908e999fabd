"""The minimum of a function of two numbers, sought from several starts, each with an optimizer of its own."""

import torch

torch.manual_seed(0)


def height(point):
    first, second = point
    return (first**2 + second - 11) ** 2 + (first + second**2 - 7) ** 2


found = []
for start in torch.randn(3, 2) * 3:
    point = start.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([point], lr=0.1)
    for _ in range(25):
        optimizer.zero_grad()
        loss = height(point)
        loss.backward()
        optimizer.step()
    found.append(point)
    print(f"height {loss.item():.4f}")
