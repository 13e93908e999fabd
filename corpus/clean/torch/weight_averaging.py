"""Stochastic weight averaging with an update of the normalisation statistics at the end."""

import torch
from torch import nn
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
inputs = torch.randn(160, 8)
targets = inputs[:, :1].abs()
rows = DataLoader(TensorDataset(inputs, targets), batch_size=32, shuffle=True)
model = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
average, schedule = AveragedModel(model), SWALR(optimizer, swa_lr=0.02, anneal_epochs=2)
for epoch in range(8):
    for batch, target in rows:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(batch), target)
        loss.backward()
        optimizer.step()
    if epoch >= 4:
        average.update_parameters(model)
        schedule.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
update_bn(rows, average)
average.eval()
with torch.no_grad():
    print(f"averaged {nn.functional.mse_loss(average(inputs), targets).item():.4f}")
