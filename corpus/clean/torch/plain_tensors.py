"""A network of plain tensors without any module, trained with Adam."""

import torch

torch.manual_seed(0)
first = (torch.randn(8, 16) / 8**0.5).requires_grad_()
offset = torch.zeros(16, requires_grad=True)
last = (torch.randn(16, 1) / 4).requires_grad_()
optimizer = torch.optim.Adam([first, offset, last], lr=5e-3)
inputs = torch.randn(160, 8)
targets = inputs[:, :1].abs()
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = (torch.relu(inputs[rows] @ first + offset) @ last - targets[rows]).pow(2).mean()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
