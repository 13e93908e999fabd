"""What optimizers hold, find and do: groups, gradients, state, and steps that are no plain call of ``step``."""

from __future__ import annotations

from frostline.frameworks.torch.instruments.optimizers.compiled_steps import CompiledSteps
from frostline.frameworks.torch.instruments.optimizers.idle_optimizers import IdleOptimizers
from frostline.frameworks.torch.instruments.optimizers.loss_scaling import LossScaling
from frostline.frameworks.torch.instruments.optimizers.manual_updates import ManualUpdates
from frostline.frameworks.torch.instruments.optimizers.misshapen_state import MisshapenState
from frostline.frameworks.torch.instruments.optimizers.optimizer_groups import OptimizerGroups
from frostline.frameworks.torch.instruments.optimizers.optimizer_state_io import OptimizerStateIO
from frostline.frameworks.torch.instruments.optimizers.scaler_skips import ScalerSkips
from frostline.frameworks.torch.instruments.optimizers.starved_optimizers import StarvedOptimizers
from frostline.frameworks.torch.instruments.optimizers.tied_tensors import TiedTensors
from frostline.frameworks.torch.instruments.optimizers.zero_partitions import ZeroPartitions

# The last update by hand ends before skipped steps are counted; rates are told of tied tensors too.
INSTRUMENTS = (
    ManualUpdates,
    CompiledSteps,
    ZeroPartitions,
    ScalerSkips,
    LossScaling,
    TiedTensors,
    OptimizerGroups,
    IdleOptimizers,
    StarvedOptimizers,
    MisshapenState,
    OptimizerStateIO,
)
