"""A convolutional GAN with batch normalisation in both networks and flags switched for every phase."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
images = torch.tensor(load_digits().images[:640] / 8 - 1, dtype=torch.float32).unsqueeze(1)
generator = nn.Sequential(
    nn.Linear(8, 64),
    nn.Unflatten(1, (16, 2, 2)),
    nn.BatchNorm2d(16),
    nn.ReLU(),
    nn.ConvTranspose2d(16, 8, 4, 2, 1),
    nn.BatchNorm2d(8),
    nn.ReLU(),
    nn.ConvTranspose2d(8, 1, 4, 2, 1),
    nn.Tanh(),
)
critic = nn.Sequential(
    nn.Conv2d(1, 8, 4, 2, 1),
    nn.LeakyReLU(0.2),
    nn.Conv2d(8, 16, 4, 2, 1),
    nn.BatchNorm2d(16),
    nn.LeakyReLU(0.2),
    nn.Flatten(),
    nn.Linear(64, 1),
)
for network in (generator, critic):
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0, 0.02)
generator_optimizer = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
critic_optimizer = torch.optim.Adam(critic.parameters(), lr=2e-4, betas=(0.5, 0.999))


def set_flags(network, flag):
    for parameter in network.parameters():
        parameter.requires_grad = flag


for epoch in range(2):
    for real in images.split(40):
        set_flags(critic, True)
        critic_optimizer.zero_grad()
        with torch.no_grad():
            fake = generator(torch.randn(len(real), 8))
        loss = nn.functional.softplus(-critic(real)).mean() + nn.functional.softplus(critic(fake)).mean()
        loss.backward()
        critic_optimizer.step()
        set_flags(critic, False)
        generator_optimizer.zero_grad()
        fooled = nn.functional.softplus(-critic(generator(torch.randn(len(real), 8)))).mean()
        fooled.backward()
        generator_optimizer.step()
    print(f"epoch {epoch} critic {loss.item():.4f} generator {fooled.item():.4f}")
