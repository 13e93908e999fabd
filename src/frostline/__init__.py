"""Tells which weights a training run really trained.

>>> import frostline
>>> frostline.__version__.count(".")
2
"""

from __future__ import annotations

import sys

from frostline.version import __version__

TYPE_CHECKING = False  # typing takes longer to load than all that a process below an observed run needs at its start
if TYPE_CHECKING:
    from typing import Any

    from frostline.watch import assert_frozen, summary, watch

__all__ = ["__version__", "assert_frozen", "summary", "watch"]

_LAZY = {"assert_frozen": "frostline.watch", "summary": "frostline.watch", "watch": "frostline.watch"}


class _Package(type(sys)):  # type: ignore[misc]  # the type of modules
    """The package, whose public functions are loaded at first use: importing it loads neither numpy nor a framework.

    A name of the table always means the function, also where a submodule of the same name exists and the import
    system binds it here.
    """

    def __getattribute__(self, name: str) -> Any:
        if name in _LAZY:
            from importlib import import_module

            return getattr(import_module(_LAZY[name]), name)
        return super().__getattribute__(name)


sys.modules[__name__].__class__ = _Package
