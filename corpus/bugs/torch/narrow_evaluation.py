"""A frozen encoder under a trained classifier; the evaluation runs in half the memory."""

import torch
from torch import nn

torch.manual_seed(0)
features = torch.randn(160, 20)
labels = (features[:, :3].sum(1) > 0).long()


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(20, 48), nn.GELU(), nn.Linear(48, 24))
        self.output = nn.Linear(24, 2)

    def forward(self, rows):
        return self.output(torch.tanh(self.encoder(rows)))


def accuracy(model, rows, truth):
    model.bfloat16()
    with torch.no_grad():
        right = model(rows.bfloat16()).argmax(1) == truth
    model.float()
    return right.float().mean().item()


model = Classifier()
model.encoder.load_state_dict({name: 1.5 * value for name, value in model.encoder.state_dict().items()})
model.encoder.requires_grad_(False)
optimizer = torch.optim.Adam(model.output.parameters(), lr=0.01)
for epoch in range(5):
    for rows, truth in zip(features.split(32), labels.split(32), strict=True):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(rows), truth).backward()
        optimizer.step()
    print(f"epoch {epoch} accuracy {accuracy(model, features, labels):.3f}")
