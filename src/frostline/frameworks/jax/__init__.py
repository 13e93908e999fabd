"""Watching JAX: what hooks it and its libraries (``INSTRUMENTS``), and ``attach``, which puts the hooks in place."""

from __future__ import annotations

from collections.abc import Callable

from frostline.core.journal import Journal
from frostline.frameworks.jax.context import Context
from frostline.frameworks.jax.framework import Jax
from frostline.frameworks.jax.instruments.aot_calls import AotCalls
from frostline.frameworks.jax.instruments.dropped_results import DroppedResults
from frostline.frameworks.jax.instruments.equinox_calls import EquinoxCalls
from frostline.frameworks.jax.instruments.gradients import Gradients
from frostline.frameworks.jax.instruments.jit_calls import JitCalls
from frostline.frameworks.jax.instruments.lost_updates import LostUpdates
from frostline.frameworks.jax.instruments.manual_updates import ManualUpdates
from frostline.frameworks.jax.instruments.module_states import ModuleStates
from frostline.frameworks.jax.instruments.nnx_calls import NnxCalls
from frostline.frameworks.jax.instruments.optax_labels import OptaxLabels
from frostline.frameworks.jax.instruments.optax_updates import OptaxUpdates
from frostline.frameworks.jax.instruments.update_proofs import UpdateProofs
from frostline.settings import Settings

INSTRUMENTS = (
    JitCalls,
    AotCalls,
    NnxCalls,
    EquinoxCalls,
    Gradients,
    ManualUpdates,
    OptaxUpdates,
    OptaxLabels,
    UpdateProofs,
    DroppedResults,
    ModuleStates,
    LostUpdates,
)


def attach(
    settings: Settings,
    journal: Journal,
    on_check: Callable[[], None],
    fault: Callable[[str, BaseException], None],
) -> Jax:
    """Observe every compiled function and training loop of this process from now on.

    Args:
        settings: of the run.
        journal: takes the facts.
        on_check: called after each check.
        fault: takes errors inside frostline.
    """
    context = Context(settings, journal, on_check, fault)
    return Jax(context, [instrument(context) for instrument in INSTRUMENTS])
