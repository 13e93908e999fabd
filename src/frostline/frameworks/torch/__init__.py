"""Watching PyTorch: what hooks it (``INSTRUMENTS``), and ``attach``, which puts the hooks in place."""

from __future__ import annotations

from collections.abc import Callable

from frostline.core.journal import Journal
from frostline.frameworks.imports import when_imported
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.framework import Torch
from frostline.frameworks.torch.guards import dynamo_guard
from frostline.frameworks.torch.instruments import averages, backwards, flags, forwards, lines, optimizers, state
from frostline.frameworks.torch.step_hooks import StepHooks
from frostline.settings import Settings

# Callbacks are called in this order. Gradients are looked at before an update by hand, which begins at a backward pass
# too, takes its turn; optimizers that never stepped may bring models, whose flags are read after that.
INSTRUMENTS = (
    StepHooks,
    *backwards.INSTRUMENTS,
    *forwards.INSTRUMENTS,
    *optimizers.INSTRUMENTS,
    *flags.INSTRUMENTS,
    *state.INSTRUMENTS,
    *averages.INSTRUMENTS,
    *lines.INSTRUMENTS,
)


def attach(
    settings: Settings,
    journal: Journal,
    on_check: Callable[[], None],
    fault: Callable[[str, BaseException], None],
) -> Torch:
    """Observe every optimizer and model of this process from now on.

    Args:
        settings: of the run.
        journal: takes the facts.
        on_check: called after each check.
        fault: takes errors inside frostline.
    """
    context = Context(settings, journal, on_check, fault)
    when_imported("torch._dynamo.trace_rules", dynamo_guard.keep_out_of)
    return Torch(context, [instrument(context) for instrument in INSTRUMENTS])
