"""Inner and outer loops over weights kept in a list, with running statistics as parameters that ask for no gradient."""

import copy

import torch
from torch import nn
from torch.nn import functional

torch.manual_seed(0)


class Learner(nn.Module):
    def __init__(self):
        super().__init__()
        shapes = [torch.randn(20, 6) / 2, torch.ones(20), torch.zeros(20), torch.randn(3, 20) / 4]
        self.weights = nn.ParameterList([nn.Parameter(each) for each in shapes])
        state = [torch.zeros(20), torch.ones(20)]
        self.state = nn.ParameterList([nn.Parameter(each, requires_grad=False) for each in state])

    def forward(self, rows, weights=None):
        first, scale, shift, last = self.weights if weights is None else weights
        hidden = functional.linear(rows, first)
        hidden = functional.batch_norm(hidden, *self.state, scale, shift, training=True)
        return functional.linear(torch.relu(hidden), last)

    def parameters(self, recurse=True):
        return self.weights


def adapted(learner, rows, labels, steps):
    fast = list(learner.parameters())
    for _ in range(steps):
        loss = functional.cross_entropy(learner(rows, fast), labels)
        slopes = torch.autograd.grad(loss, fast, create_graph=True)
        fast = [weight - 0.1 * slope for weight, slope in zip(fast, slopes, strict=True)]
    return fast


learner = Learner()
optimizer = torch.optim.Adam(learner.parameters(), lr=0.005)
for round_ in range(24):
    rows = torch.randn(24, 6)
    labels = (rows @ torch.randn(6, 3)).argmax(1)
    fast = adapted(learner, rows[:12], labels[:12], steps=2)
    optimizer.zero_grad()
    loss = functional.cross_entropy(learner(rows[12:], fast), labels[12:])
    loss.backward()
    optimizer.step()
    if round_ % 8 == 0:
        trial = copy.deepcopy(learner)
        right = trial(rows[12:], adapted(trial, rows[:12], labels[:12], steps=4)).argmax(1) == labels[12:]
        print(f"round {round_} loss {loss.item():.4f} right {right.float().mean().item():.2f}")
