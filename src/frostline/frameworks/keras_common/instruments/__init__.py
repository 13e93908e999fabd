"""What hooks a Keras of either generation, whatever its backend (``COMMON``)."""

from frostline.frameworks.keras_common.instruments import flags, layers, lines, state, steps

COMMON = (*flags.INSTRUMENTS, *layers.INSTRUMENTS, *state.INSTRUMENTS, *steps.INSTRUMENTS, *lines.INSTRUMENTS)
