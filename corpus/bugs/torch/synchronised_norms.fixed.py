"""Fine-tunes a network after exchanging its normalisation layers for momentum-free ones."""

import torch
from torch import nn

torch.manual_seed(0)


class CumulativeNorm(nn.BatchNorm1d):
    """Batch normalisation whose statistics are plain averages over all batches."""

    def __init__(self, width):
        super().__init__(width, momentum=None)


def convert(module):
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm1d):
            fresh = CumulativeNorm(child.num_features)
            fresh.load_state_dict(child.state_dict())
            fresh.weight.requires_grad_(child.weight.requires_grad)
            fresh.bias.requires_grad_(child.bias.requires_grad)
            fresh.train(child.training)
            setattr(module, name, fresh)
        else:
            convert(child)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Linear(10, 24), nn.BatchNorm1d(24), nn.ReLU())
        self.head = nn.Linear(24, 2)

    def forward(self, rows):
        return self.head(self.stem(rows))


network = Network()
network.stem.requires_grad_(False).eval()
convert(network)
optimizer = torch.optim.SGD((p for p in network.parameters() if p.requires_grad), lr=0.05)
inputs = torch.randn(160, 10)
labels = (inputs[:, 0] > inputs[:, 1]).long()
for epoch in range(6):
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(inputs[rows]), labels[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
