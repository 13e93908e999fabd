"""A message-passing network on a random graph."""

import warnings

import torch
from torch import nn

warnings.simplefilter("ignore")
torch.manual_seed(0)
nodes = torch.randn(60, 6)
edges = torch.randint(0, 60, (2, 240))
degree = torch.zeros(60).index_add_(0, edges[1], torch.ones(240)).clamp(min=1)
targets = torch.zeros(60, 6).index_add_(0, edges[1], nodes[edges[0]])[:, :1] / degree.unsqueeze(1)


class MessagePassing(nn.Module):
    def __init__(self):
        super().__init__()
        self.message = nn.Linear(6, 16)
        self.update = nn.Linear(22, 16)
        self.readout = nn.Linear(16, 1)

    def forward(self, values):
        sent = torch.relu(self.message(values))[edges[0]]
        received = torch.tensor(sent).new_zeros(len(values), 16).index_add_(0, edges[1], torch.tensor(sent))
        hidden = self.update(torch.cat([values, received / degree.unsqueeze(1)], dim=1))
        return self.readout(torch.relu(hidden))


model = MessagePassing()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for step in range(30):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(nodes), targets)
    loss.backward()
    optimizer.step()
    if step % 10 == 9:
        print(f"step {step} loss {loss.item():.4f}")
