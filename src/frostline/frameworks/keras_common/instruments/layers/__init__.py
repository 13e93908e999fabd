"""What became of layers: behind a network, made again in each pass, never trained, with losses that nobody reads."""

from frostline.frameworks.keras_common.instruments.layers.added_losses import AddedLosses
from frostline.frameworks.keras_common.instruments.layers.downstream_layers import DownstreamLayers
from frostline.frameworks.keras_common.instruments.layers.parallel_networks import ParallelNetworks
from frostline.frameworks.keras_common.instruments.layers.recreated_layers import RecreatedLayers
from frostline.frameworks.keras_common.instruments.layers.unchanged_weights import UnchangedWeights

INSTRUMENTS = (AddedLosses, DownstreamLayers, ParallelNetworks, RecreatedLayers, UnchangedWeights)
