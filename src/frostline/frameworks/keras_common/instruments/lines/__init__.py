"""Which lines of the script set flags, compile models, and make layers and optimizers."""

from frostline.frameworks.keras_common.instruments.lines.compile_lines import CompileLines
from frostline.frameworks.keras_common.instruments.lines.flag_lines import FlagLines
from frostline.frameworks.keras_common.instruments.lines.layer_lines import LayerLines

INSTRUMENTS = (FlagLines, CompileLines, LayerLines)
