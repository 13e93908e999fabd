"""Which lines of the script set flags and modes, made tensors and optimizers, and wrote outside of steps."""

from __future__ import annotations

from frostline.frameworks.torch.instruments.lines.flag_lines import FlagLines
from frostline.frameworks.torch.instruments.lines.mode_lines import ModeLines
from frostline.frameworks.torch.instruments.lines.optimizer_lines import OptimizerLines
from frostline.frameworks.torch.instruments.lines.registration_lines import RegistrationLines
from frostline.frameworks.torch.instruments.lines.write_lines import WriteLines

INSTRUMENTS = (FlagLines, RegistrationLines, OptimizerLines, ModeLines, WriteLines)
