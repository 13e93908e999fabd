"""Which lines of the script set flags, compile models, make layers and optimizers, and assign to variables."""

from frostline.frameworks.keras_common.instruments.lines.compile_lines import CompileLines
from frostline.frameworks.keras_common.instruments.lines.flag_lines import FlagLines
from frostline.frameworks.keras_common.instruments.lines.layer_lines import LayerLines
from frostline.frameworks.keras_common.instruments.lines.write_lines import WriteLines

INSTRUMENTS = (FlagLines, CompileLines, LayerLines, WriteLines)
