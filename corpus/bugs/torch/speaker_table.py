"""Adapts a speech synthesiser to new speakers; after a joint phase only the new speakers' vectors should learn."""

import torch
from torch import nn

torch.manual_seed(0)
known, fresh = 12, 4


class Synthesiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.speakers = nn.Embedding(known + fresh, 8)
        self.decoder = nn.Sequential(nn.Linear(8 + 6, 24), nn.Tanh(), nn.Linear(24, 5))

    def forward(self, text, speaker):
        return self.decoder(torch.cat([text, self.speakers(speaker)], 1))


text, sound = torch.randn(256, 6), torch.randn(256, 5)
speaker = torch.randint(0, known + fresh, (256,))
model = Synthesiser()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
for phase in ("together", "new voices", "new voices", "new voices"):
    for batch in torch.arange(256).split(16):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(text[batch], speaker[batch]), sound[batch])
        loss.backward()
        if phase == "new voices":
            model.speakers.weight.grad[:known] = 0
        optimizer.step()
    print(f"{phase}: loss {loss.item():.4f}")
