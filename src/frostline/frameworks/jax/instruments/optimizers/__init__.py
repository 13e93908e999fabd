"""What optimizers of optax are given, apply and keep."""

from __future__ import annotations

from frostline.frameworks.jax.instruments.optimizers.optax_labels import OptaxLabels
from frostline.frameworks.jax.instruments.optimizers.optax_updates import OptaxUpdates
from frostline.frameworks.jax.instruments.optimizers.optimizer_states import OptimizerStates
from frostline.frameworks.jax.instruments.optimizers.update_proofs import UpdateProofs

INSTRUMENTS = (OptaxUpdates, OptaxLabels, UpdateProofs, OptimizerStates)
