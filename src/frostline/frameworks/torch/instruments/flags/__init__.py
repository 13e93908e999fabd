"""Writes to flags, and what is said of them besides: calls, attributes, and counts that a library prints."""

from __future__ import annotations

from frostline.frameworks.torch.instruments.flags.flag_typos import FlagTypos
from frostline.frameworks.torch.instruments.flags.flag_writes import FlagWrites
from frostline.frameworks.torch.instruments.flags.parameter_counts import ParameterCounts
from frostline.frameworks.torch.instruments.flags.requested_flags import RequestedFlags

INSTRUMENTS = (FlagWrites, RequestedFlags, FlagTypos, ParameterCounts)
