"""Variables that a forward pass assigns to, while a train step is under way."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

from frostline.core.facts import Fact, ModuleSeen
from frostline.core.ledger import TensorRow
from frostline.frameworks.keras_common.context import Context


class ForwardAssignments:
    """Notes which tensors the forward pass assigns to; only in steps that are checks, where steps are traced too.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (ModuleSeen,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._looked = False
        self._methods = [
            (next(base for base in owner.__mro__ if name in vars(base)), name)
            for owner, name in context.dialect.assigning
        ]

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.checked_step.append(self._noted)
        self._context.signals.finishing.append(self._tell_others)
        return []

    @contextlib.contextmanager
    def _noted(self, model: Any) -> Iterator[None]:
        """Inside, every assignment is noted."""
        self._looked = True
        originals = [vars(owner)[name] for owner, name in self._methods]
        for (owner, name), original in zip(self._methods, originals, strict=True):
            setattr(owner, name, self._noting(original))
        try:
            yield
        finally:
            for (owner, name), original in zip(self._methods, originals, strict=True):
                setattr(owner, name, original)

    def _tell_others(self) -> None:
        """In the steps that were looked at, nothing else was assigned to."""
        rows = [entry.row for entry in self._context.models.tensors] if self._looked else []
        others = [row.id for row in rows if row.owner.rewrites_in_forward is None and not _moves_by_itself(row)]
        if others:
            self._context.tell(ModuleSeen(tensors=tuple(others), rewrites_in_forward=False))

    def _noting(self, original: Any) -> Any:
        @functools.wraps(original)
        def assign(variable: Any, *args: Any, **kwargs: Any) -> Any:
            self._context.quietly("a variable is assigned to", lambda: self._note(variable))
            return original(variable, *args, **kwargs)

        return assign

    def _note(self, variable: Any) -> None:
        entry = self._context.models.of(variable)
        if entry is None or self._context.steps.applying or _moves_by_itself(entry.row):
            return
        if not entry.row.owner.rewrites_in_forward:
            self._context.tell(ModuleSeen(tensors=(entry.row.id,), rewrites_in_forward=True))


def _moves_by_itself(row: TensorRow) -> bool:
    """Whether the tensor is of a normalisation, whose statistics a pass is meant to write."""
    return row.owner.role == "normalisation"
