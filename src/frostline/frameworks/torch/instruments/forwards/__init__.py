"""What forward passes show: which modules run, what comes of their outputs, what they write into their own state."""

from __future__ import annotations

from frostline.frameworks.torch.instruments.forwards.detached_outputs import DetachedOutputs
from frostline.frameworks.torch.instruments.forwards.forward_writes import ForwardWrites
from frostline.frameworks.torch.instruments.forwards.late_models import LateModels
from frostline.frameworks.torch.instruments.forwards.model_discovery import ModelDiscovery
from frostline.frameworks.torch.instruments.forwards.module_calls import ModuleCalls
from frostline.frameworks.torch.instruments.forwards.output_gradients import OutputGradients
from frostline.frameworks.torch.instruments.forwards.parallel_modules import ParallelModules
from frostline.frameworks.torch.instruments.forwards.parameter_reads import ParameterReads
from frostline.frameworks.torch.instruments.forwards.recreated_modules import RecreatedModules
from frostline.frameworks.torch.instruments.forwards.unused_outputs import UnusedOutputs

# Models are met before anything in them is looked at; forward writes are looked at next to the pass itself.
INSTRUMENTS = (
    RecreatedModules,
    UnusedOutputs,
    LateModels,
    ModelDiscovery,
    ParameterReads,
    ModuleCalls,
    ParallelModules,
    DetachedOutputs,
    OutputGradients,
    ForwardWrites,
)
