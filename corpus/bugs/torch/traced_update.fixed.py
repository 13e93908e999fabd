"""Trains a network with one traced function that computes the new weights."""

import torch
from torch import nn
from torch.func import functional_call, grad
from torch.fx.experimental.proxy_tensor import make_fx

torch.manual_seed(0)
inputs = torch.randn(128, 8)
targets = (inputs[:, :1] * inputs[:, 1:2]).tanh()
model = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 1))


def trace(batch, target):
    """The update of all weights that are open now, as one graph."""
    open_names = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    buffers = dict(model.named_buffers())

    def update(weights, batch, target):
        def loss_of(chosen):
            out = functional_call(model, ({**weights, **chosen}, buffers), (batch,))
            return nn.functional.mse_loss(out, target)

        slopes = grad(loss_of)({name: weights[name] for name in open_names})
        return {name: weights[name] - 0.1 * slopes[name] for name in open_names}

    weights = {name: parameter.detach() for name, parameter in model.named_parameters()}
    return make_fx(update)(weights, batch, target)


step = trace(inputs[:32], targets[:32])
for epoch in range(8):
    if epoch == 4:
        model[0].requires_grad_(False)
        step = trace(inputs[:32], targets[:32])
    for batch, target in zip(inputs.split(32), targets.split(32), strict=True):
        weights = {name: parameter.detach() for name, parameter in model.named_parameters()}
        fresh = step(weights, batch, target)
        with torch.no_grad():
            for name, value in fresh.items():
                model.get_parameter(name).copy_(value)
    with torch.no_grad():
        print(f"epoch {epoch} loss {nn.functional.mse_loss(model(inputs), targets).item():.4f}")
