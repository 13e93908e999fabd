"""Hooks for libraries that a script may import, before the framework or after it.

A small finder of our own: that of wrapt loads asyncio, which a script without a framework would pay for at each start.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_waiting: dict[str, list[Callable[[Any], None]]] = {}  # by the name of the module
_just_imported: set[str] = set()  # those whose hooks are being called


def when_imported(name: str, hook: Callable[[Any], None]) -> Callable[[], None]:
    """Call ``hook`` with a module once it is imported as a whole, or now where it is.

    Returns what forgets the hook, with all that it keeps alive: most libraries are never imported.

    A library that imports the framework is in ``sys.modules``, and half empty, when the framework's hooks are put in
    place. Import tells the specification of a module that its work is done: there the hook is called.

    Example:
        >>> forget = when_imported("sys", lambda module: print(module.__name__))
        sys
    """
    hooks = [hook]

    def imported(module: Any) -> None:
        while hooks:
            hooks.pop()(module)

    module = sys.modules.get(name)
    spec = getattr(module, "__spec__", None)
    if module is not None and not getattr(spec, "_initializing", False):
        imported(module)
        return hooks.clear
    _waiting.setdefault(name, []).append(imported)
    if spec is not None:
        _await(spec)
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    return hooks.clear


def is_just_imported(name: str) -> bool:
    """Whether a module's import ends at this moment, so that nobody can have made anything of it yet."""
    return name in _just_imported


def _await(spec: ModuleSpec) -> None:
    """Have the specification tell when the module is imported as a whole; it stays what it is in all else."""
    if not isinstance(spec, _Awaited):
        kind = type(spec)
        spec.__class__ = type(kind.__name__, (_Awaited, kind), {"_former": kind})


class _Awaited(ModuleSpec):
    """The specification of a module that is being imported; when it is told of the end it becomes a plain one again."""

    _former: type[ModuleSpec]

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "_initializing" and not value:
            self.__class__ = self._former  # type: ignore[assignment]
            module = sys.modules.get(self.name)  # it is taken out where its import failed
            _just_imported.add(self.name)
            try:
                for imported in _waiting.pop(self.name, ()) if module is not None else ():
                    imported(module)
            finally:
                _just_imported.discard(self.name)


class _Finder:
    """Finds what others find, and has the specifications of awaited modules tell of the end of the import."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See importlib.abc.MetaPathFinder."""
        if name not in _waiting:
            return None
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target) if finder is not self else None
            if spec is not None:
                _await(spec)
                return spec
        return None


_FINDER: Any = _Finder()
