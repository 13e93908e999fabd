"""What hooks JAX and the libraries around it (``INSTRUMENTS``); one file hooks one thing."""

from frostline.frameworks.jax.instruments import optimizers
from frostline.frameworks.jax.instruments.aot_calls import AotCalls
from frostline.frameworks.jax.instruments.checkpoint_writing import CheckpointWriting
from frostline.frameworks.jax.instruments.donated_arrays import DonatedArrays
from frostline.frameworks.jax.instruments.dropped_results import DroppedResults
from frostline.frameworks.jax.instruments.equinox_calls import EquinoxCalls
from frostline.frameworks.jax.instruments.gradients import Gradients
from frostline.frameworks.jax.instruments.init_lines import InitLines
from frostline.frameworks.jax.instruments.jit_calls import JitCalls
from frostline.frameworks.jax.instruments.lost_updates import LostUpdates
from frostline.frameworks.jax.instruments.manual_updates import ManualUpdates
from frostline.frameworks.jax.instruments.module_states import ModuleStates
from frostline.frameworks.jax.instruments.nnx_calls import NnxCalls
from frostline.frameworks.jax.instruments.pullbacks import Pullbacks

INSTRUMENTS = (
    JitCalls,
    AotCalls,
    NnxCalls,
    EquinoxCalls,
    Gradients,
    Pullbacks,
    ManualUpdates,
    *optimizers.INSTRUMENTS,
    DroppedResults,
    ModuleStates,
    LostUpdates,
    CheckpointWriting,
    DonatedArrays,
    InitLines,
)
