"""The flags that models were compiled with, and those of the user that ``fit`` sets aside for them."""

from __future__ import annotations

import weakref
from typing import Any


class CompiledFlags:
    """Remembers, while the layers carry the flags of compile(), those that the user set."""

    def __init__(self) -> None:
        self._user_flags: weakref.WeakKeyDictionary[Any, tuple[bool, bool]] = weakref.WeakKeyDictionary()
        self._compiled: weakref.WeakSet[Any] = weakref.WeakSet()

    def note_compiled(self, model: Any) -> None:
        """The model keeps, from now on, the flags that its layers have at this moment."""
        self._compiled.add(model)

    def set_aside(self, model: Any, user: Any, compiled: Any) -> None:
        """While ``fit`` runs the layers carry the flags of compile(); remember those that the user set.

        A flag that another model was compiled with is in force there: then this model's own is meant too, as in a GAN
        whose discriminator is compiled before it is frozen for the combined model.
        """
        others = [other._compiled_trainable_state for other in self._compiled if other is not model]
        for layer, flag in user.items():
            in_force = any(layer in state and bool(state[layer]) == bool(flag) for state in others)
            if layer in compiled and not in_force:
                self._user_flags[layer] = (bool(flag), bool(compiled[layer]))

    def restore(self) -> None:
        """``fit`` is over: the layers carry the user's flags again."""
        self._user_flags.clear()

    def of(self, layer: Any) -> bool:
        """The flag as the user set it; one set while ``fit`` runs, by a callback, differs from compile()'s."""
        live = bool(layer._trainable)
        user, compiled = self._user_flags.get(layer, (live, live))
        return user if live == compiled else live
