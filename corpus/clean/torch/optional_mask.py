"""Fine-tunes a masked-image encoder on labels: its token for hidden patches is not asked for."""

import torch
from torch import nn

torch.manual_seed(0)


class Patches(nn.Module):
    def __init__(self):
        super().__init__()
        self.lead = nn.Parameter(torch.randn(1, 1, 16) * 0.02)
        self.hidden = nn.Parameter(torch.zeros(16))
        self.project = nn.Linear(12, 16)

    def forward(self, patches, hide=None):
        tokens = self.project(patches)
        if hide is not None:
            tokens = torch.where(hide.unsqueeze(-1), self.hidden, tokens)
        return torch.cat([self.lead.expand(len(tokens), -1, -1), tokens], dim=1)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.padding = nn.Parameter(torch.zeros(1, 1, 16))
        self.patches = Patches()
        self.encoder = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
        self.head = nn.Linear(16, 3)

    def forward(self, patches, length=None):
        tokens = self.patches(patches)
        if length is not None:
            tokens = torch.cat([tokens, self.padding.expand(len(tokens), length, -1)], dim=1)
        return self.head(self.encoder(tokens)[:, 0])


model = Classifier()
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
inputs = torch.randn(160, 6, 12)
labels = inputs[:, :, 0].argmax(dim=1) % 3
for epoch in range(5):
    for rows in torch.randperm(160).split(32):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs[rows]), labels[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
