"""How weights come into a model and leave it: loads, files, casts, merges, exchanged parameters, initial values."""

from __future__ import annotations

from frostline.frameworks.torch.instruments.state.adapter_merges import AdapterMerges
from frostline.frameworks.torch.instruments.state.checkpoint_reading import CheckpointReading
from frostline.frameworks.torch.instruments.state.checkpoint_writing import CheckpointWriting
from frostline.frameworks.torch.instruments.state.dtype_casts import DtypeCasts
from frostline.frameworks.torch.instruments.state.initial_values import InitialValues
from frostline.frameworks.torch.instruments.state.late_writes import LateWrites
from frostline.frameworks.torch.instruments.state.load_comparison import LoadComparison
from frostline.frameworks.torch.instruments.state.missing_keys import MissingKeys
from frostline.frameworks.torch.instruments.state.parameter_swaps import ParameterSwaps
from frostline.frameworks.torch.instruments.state.piecewise_reading import PiecewiseReading
from frostline.frameworks.torch.instruments.state.pruned_zeros import PrunedZeros
from frostline.frameworks.torch.instruments.state.sharded_starts import ShardedStarts
from frostline.frameworks.torch.instruments.state.state_loading import StateLoading

INSTRUMENTS = (
    ParameterSwaps,
    StateLoading,
    CheckpointReading,
    PiecewiseReading,
    LoadComparison,
    MissingKeys,
    DtypeCasts,
    AdapterMerges,
    CheckpointWriting,
    ShardedStarts,
    InitialValues,
    LateWrites,
    PrunedZeros,
)
