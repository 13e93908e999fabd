"""What a script says of training, and what Keras prints of it: summaries, containers, misspelt flags."""

from frostline.frameworks.keras_common.instruments.flags.flag_typos import FlagTypos
from frostline.frameworks.keras_common.instruments.flags.frozen_containers import FrozenContainers
from frostline.frameworks.keras_common.instruments.flags.lost_flags import LostFlags
from frostline.frameworks.keras_common.instruments.flags.summaries import Summaries

INSTRUMENTS = (Summaries, FrozenContainers, FlagTypos, LostFlags)
