"""Averages of trained weights and other copies that a script keeps beside its models."""

from __future__ import annotations

from frostline.frameworks.torch.instruments.averages.kept_copies import KeptCopies
from frostline.frameworks.torch.instruments.averages.replaced_by_average import ReplacedByAverage

INSTRUMENTS = (KeptCopies, ReplacedByAverage)
