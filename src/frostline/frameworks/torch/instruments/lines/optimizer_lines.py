"""Which lines of the script make optimizers, and which add parameters to them later."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterable
from typing import Any, ClassVar

import torch

from frostline.core.events import Act
from frostline.core.events.fact import Origin
from frostline.core.facts import Fact, LineSeen
from frostline.frameworks.torch.context import Context
from frostline.observe.script_lines import makers, script_line


class OptimizerLines:
    """Notes where each optimizer was made, and each of its groups that was added after that.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (LineSeen,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lines: weakref.WeakKeyDictionary[Any, list[tuple[Act, Origin, int, int | None]]]
        self._lines = weakref.WeakKeyDictionary()  # with the step, and the number of the group

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        signals = self._context.signals
        signals.optimizer_made.append(self._made)
        signals.check_ended.append(self._tell)
        signals.finished.append(self._tell_all)
        return [self._context.wrap(torch.optim.Optimizer, "add_param_group", self._add_param_group)]

    def _made(self, optimizer: torch.optim.Optimizer) -> None:
        self._note(optimizer, "optimizer", None)

    def _add_param_group(self, wrapped: Any, optimizer: Any, args: Any, kwargs: Any) -> Any:
        result = wrapped(*args, **kwargs)
        if optimizer in self._lines:  # and not while it is made
            number = len(optimizer.param_groups) - 1
            self._context.quietly("a group was added", self._note, optimizer, "group", number)
        return result

    def _note(self, optimizer: torch.optim.Optimizer, act: Act, group: int | None) -> None:
        lines, line = self._lines.setdefault(optimizer, []), script_line(but=makers(optimizer))
        if line is not None:
            lines.append((act, line, self._context.recorder.steps, group))

    def _tell(self, key: Hashable) -> None:
        context = self._context
        row = context.recorder.optimizers[key]
        for optimizer in context.optimizers.of(key):
            lines = self._lines.get(optimizer, [])
            for act, line, step, group in lines:
                groups = optimizer.param_groups[group : group + 1] if group is not None else []
                entries = [
                    entry for each in groups for tensor in each["params"] if (entry := context.models.of(tensor))
                ]
                numbers = tuple(entry.row.id for entry in entries)
                context.tell(LineSeen(step=step, act=act, optimizer=row.id, tensors=numbers, origin=line))
            lines.clear()

    def _tell_all(self) -> None:
        for key in [*self._context.recorder.optimizers]:
            self._tell(key)
