"""Which lines of the script set flags, compile models and make optimizers."""

from frostline.frameworks.keras_common.instruments.lines.compile_lines import CompileLines
from frostline.frameworks.keras_common.instruments.lines.flag_lines import FlagLines

INSTRUMENTS = (FlagLines, CompileLines)
