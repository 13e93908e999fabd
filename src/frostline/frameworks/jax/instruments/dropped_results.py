"""Results that the script does not put in place: new weights, and new state of an optimizer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from frostline.core.facts import Fact, ResultDropped, StateReset
from frostline.digest.blocks import Digest
from frostline.frameworks.jax.context import Context
from frostline.frameworks.jax.steps.functions import Call, Function
from frostline.frameworks.jax.steps.values import digests_of
from frostline.frameworks.jax.tensors.paths import Arrays, Path


class DroppedResults:
    """Compares what a step handed back with what the next one is handed.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (ResultDropped, StateReset)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._first: dict[Function, dict[Path, Digest]] = {}  # of the optimizer's state before the first step
        self._reset: dict[Function, dict[Path, int]] = {}
        self._kept: dict[Function, set[Path]] = {}

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        signals = self._context.signals
        signals.step_learned.append(self._learned)
        signals.step_handed_on.append(self._handed_on)
        signals.finished.append(self._finish)
        return []

    def _learned(self, function: Function, call: Call) -> None:
        if function not in self._first and function.learned is not None:
            state = function.learned.state
            self._first[function] = {path: digest for path, digest in call.digests.items() if path in state}

    def _handed_on(self, function: Function, results: Arrays, call: Call) -> None:
        first = self._first.get(function, {})
        handed = {path: (results.get(path), call.arrays.get(path)) for path in first}
        kept = {path for path, (result, now) in handed.items() if result is now}
        self._kept.setdefault(function, set()).update(kept)
        others = {path: pair for path, pair in handed.items() if path not in kept and _both(pair)}
        before = digests_of({path: now for path, (_, now) in others.items()})
        after = digests_of({path: result for path, (result, _) in others.items()})
        for path, digest in before.items():
            if digest == first[path] and after.get(path, digest) != digest:
                counts = self._reset.setdefault(function, {})
                counts[path] = counts.get(path, 0) + 1

    def _finish(self) -> None:
        steps, tell = self._context.recorder.steps, self._context.tell
        for function in self._context.answers.functions.values():
            line = function.learned.line if function.learned is not None else None
            dropped = {path: times for path, times in function.dropped.items() if path not in function.handed_on}
            if dropped:
                names = tuple(function.tensors[path].row.name for path in dropped)
                times = max(dropped.values())
                tell(ResultDropped(step=steps, optimizer=function.key, tensors=names, times=times, origin=line))
            reset = self._reset.get(function, {})
            reset = {path: times for path, times in reset.items() if path not in self._kept[function]}
            if reset:
                names = tuple(".".join(path) for path in reset)
                times = max(reset.values())
                tell(StateReset(step=steps, optimizer=function.key, state=names, times=times, origin=line))
            executed = self._context.recorder.optimizers[function.key].steps_executed
            if function.learned is not None and function.learned.restarts and function.handed_on and executed > 1:
                tell(StateReset(step=steps, optimizer=function.key, state=(), times=executed, origin=line))


def _both(pair: tuple[Any, Any]) -> bool:
    return pair[0] is not None and pair[1] is not None
