"""The start of every python process below an observed run: ``frostline_children.pth`` imports this where one is named.

Nothing is observed, and nothing else loaded, until the process imports a framework. Most never do.
"""

from __future__ import annotations

import os
import sys

from frostline.run.environment import NAMES, VARIABLE

TYPE_CHECKING = False  # what is imported here, every process pays for
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class FrameworkImport:
    """Finds no module; it is there to see the first import of a framework."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Begin to observe if ``name`` is a framework, and leave the rest to those who find modules."""
        if name not in NAMES:
            return None
        withdraw()
        if (orders := os.environ.get(VARIABLE)) is None:
            return None
        from frostline.run.child_processes import begin

        begin(orders)
        # Whoever is to tell of the import now stands in front of us, where this search has already been.
        for finder in sys.meta_path:
            if (spec := finder.find_spec(name, path, target)) is not None:
                return spec
        return None


def withdraw() -> None:
    """Begin nothing at a framework's import; a run of its own is observed in this process, or its orders are taken."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, FrameworkImport)]


def wait() -> None:
    """Wait for the first import of a framework."""
    sys.meta_path.insert(0, FrameworkImport())


if VARIABLE in os.environ:
    wait()
