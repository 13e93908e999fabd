"""Hooks for libraries that a script may import, before the framework or after it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from typing import Any

import wrapt


def when_imported(name: str, hook: Callable[[Any], None]) -> Callable[[], None]:
    """Call ``hook`` with a module once it is imported as a whole, or now where it is.

    Returns what forgets the hook, with all that it keeps alive: most libraries are never imported.

    A library that imports the framework is in ``sys.modules``, and half empty, when the framework's hooks are put in
    place. Import tells the specification of a module that its work is done: there the hook is called then.
    """
    hooks = [hook]

    def imported(module: Any) -> None:
        while hooks:
            hooks.pop()(module)

    module = sys.modules.get(name)
    spec = getattr(module, "__spec__", None)
    if type(spec) is ModuleSpec and getattr(spec, "_initializing", False):
        spec.__class__ = _Awaited
        spec.__dict__["_hooks_of_frostline"] = []
    if type(spec) is _Awaited:
        spec.__dict__["_hooks_of_frostline"].append(lambda: imported(module))
    else:
        wrapt.register_post_import_hook(imported, name)
    return hooks.clear


class _Awaited(ModuleSpec):
    """The specification of a module that is being imported; when it is told of the end it becomes a plain one again."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "_initializing" and not value:
            hooks = self.__dict__.pop("_hooks_of_frostline")
            self.__class__ = ModuleSpec  # type: ignore[assignment]
            for hook in hooks if self.name in sys.modules else ():  # it is taken out where its import failed
                hook()
