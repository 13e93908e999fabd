"""Watching JAX: what hooks it and its libraries (``INSTRUMENTS``), and ``attach``, which puts the hooks in place."""

from __future__ import annotations

from collections.abc import Callable

from frostline.core.journal import Journal
from frostline.frameworks.jax.context import Context
from frostline.frameworks.jax.framework import Jax
from frostline.frameworks.jax.instruments import INSTRUMENTS
from frostline.settings import Settings


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
