"""What became of layers: behind a network, made again in each pass, never trained."""

from frostline.frameworks.keras_common.instruments.layers.downstream_layers import DownstreamLayers
from frostline.frameworks.keras_common.instruments.layers.parallel_networks import ParallelNetworks
from frostline.frameworks.keras_common.instruments.layers.recreated_layers import RecreatedLayers
from frostline.frameworks.keras_common.instruments.layers.unchanged_weights import UnchangedWeights

INSTRUMENTS = (DownstreamLayers, ParallelNetworks, RecreatedLayers, UnchangedWeights)
