"""Tells which weights a training run really trained.

>>> import frostline
>>> frostline.__version__.count(".")
2
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from frostline.version import __version__

if TYPE_CHECKING:
    from frostline.watch import assert_frozen, summary, watch

__all__ = ["__version__", "assert_frozen", "summary", "watch"]

_LAZY = {"assert_frozen": "frostline.watch", "summary": "frostline.watch", "watch": "frostline.watch"}


class _Package(ModuleType):
    """The package, whose public functions are loaded at first use: importing it loads neither numpy nor a framework.

    A name of the table always means the function, also where a submodule of the same name exists and the import
    system binds it here.
    """

    def __getattribute__(self, name: str) -> Any:
        if name in _LAZY:
            return getattr(import_module(_LAZY[name]), name)
        return super().__getattribute__(name)


sys.modules[__name__].__class__ = _Package
