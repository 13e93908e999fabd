"""A transformer whose rates fall with depth and whose vectors do not decay, with an average of its state (timm)."""

import copy

import torch
from torch import nn
from torch.nn import functional

torch.manual_seed(0)
LAYERS = 3


class Patches(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch_embed = nn.Linear(6, 24)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, 24))
        self.pos_embed = nn.Parameter(torch.randn(1, 9, 24) * 0.02)
        self.blocks = nn.ModuleList(nn.TransformerEncoderLayer(24, 4, 48, 0.0, batch_first=True) for _ in range(LAYERS))
        self.norm, self.head = nn.LayerNorm(24), nn.Linear(24, 3)

    def forward(self, patches):
        tokens = torch.cat([self.cls_token.expand(len(patches), -1, -1), self.patch_embed(patches)], 1) + self.pos_embed
        for block in self.blocks:
            tokens = block(tokens)
        return self.head(self.norm(tokens[:, 0]))


def depth(name):
    if name.startswith(("patch_embed", "cls_token", "pos_embed")):
        return 0
    return int(name.split(".")[1]) + 1 if name.startswith("blocks") else LAYERS + 1


class ModelEma(nn.Module):
    def __init__(self, model, decay=0.99):
        super().__init__()
        self.module = copy.deepcopy(model).eval()
        self.decay = decay
        for parameter in self.module.parameters():
            parameter.requires_grad = False

    @torch.no_grad()
    def update(self, model):
        for averaged, trained in zip(self.module.state_dict().values(), model.state_dict().values(), strict=True):
            averaged.copy_(self.decay * averaged + (1 - self.decay) * trained)


model = Patches()
groups = {}
for name, parameter in model.named_parameters():
    decays = parameter.ndim > 1 and name not in ("cls_token", "pos_embed")
    place, scale = (depth(name), decays), 0.65 ** (LAYERS + 1 - depth(name))
    group = groups.setdefault(place, {"params": [], "lr": 2e-3 * scale, "weight_decay": 0.05 if decays else 0.0})
    group["params"].append(parameter)
optimizer = torch.optim.AdamW(list(groups.values()))
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, step / 6))
average = ModelEma(model)
for _ in range(36):
    patches = torch.randn(32, 8, 6)
    labels = patches.mean(1)[:, :3].argmax(1)
    loss = functional.cross_entropy(model(patches), labels, label_smoothing=0.1)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()
    average.update(model)
with torch.no_grad():
    print(f"loss {loss.item():.4f} average {average.module(patches).std().item():.4f}")
