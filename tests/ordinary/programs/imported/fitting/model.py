"""The model."""

import torch
from torch import nn


class Classifier(nn.Module):
    """A classifier with an auxiliary head that it never calls."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Linear(16, 32)
        self.aux = nn.Linear(32, 2)
        self.head = nn.Linear(32, 2)

    def forward(self, inputs):
        return self.head(self.body(inputs).relu())
