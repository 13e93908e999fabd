"""Where weights come from and go to besides steps: loads, averages, saves."""

from frostline.frameworks.keras_common.instruments.state.average_writing import AverageWriting
from frostline.frameworks.keras_common.instruments.state.checkpoint_writing import CheckpointWriting
from frostline.frameworks.keras_common.instruments.state.load_comparison import LoadComparison
from frostline.frameworks.keras_common.instruments.state.pruned_zeros import PrunedZeros
from frostline.frameworks.keras_common.instruments.state.weight_loading import WeightLoading

INSTRUMENTS = (WeightLoading, LoadComparison, AverageWriting, CheckpointWriting, PrunedZeros)
