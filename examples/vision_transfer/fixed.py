"""Transfer learning: a network that knows the digits 0 to 4 learns 5 to 9 of another camera, its features frozen."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
pixels, digits = load_digits(return_X_y=True)
images = torch.tensor(pixels, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
labels = torch.tensor(digits)
images[labels >= 5] *= 8  # from a brighter camera

features = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten(),
)  # fmt: skip


def train(head, parameters, chosen, first_digit, epochs):
    model = nn.Sequential(features, head)
    optimizer = torch.optim.AdamW(parameters, lr=3e-3)
    for _ in range(epochs):
        model.train()
        if not features[0].weight.requires_grad:
            features.eval()  # model.train() has just undone it
        for batch in chosen.nonzero().flatten().split(64):
            loss = nn.functional.cross_entropy(model(images[batch]), labels[batch] - first_digit)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


old = nn.Linear(256, 5)
train(old, [*features.parameters(), *old.parameters()], labels < 5, 0, epochs=4)

features.requires_grad_(False)
features.eval()
new = nn.Linear(256, 5)
train(new, new.parameters(), labels >= 5, 5, epochs=2)

features.eval()
with torch.no_grad():
    right = (old(features(images[labels < 5])).argmax(1) == labels[labels < 5]).float().mean()
print(f"digits 0 to 4, with the head from before: {right:.0%} right")
