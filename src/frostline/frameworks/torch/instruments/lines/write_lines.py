"""Which lines of the script write into parameters outside of steps: loads, ``.data``, and calls such as ``copy_``.

The calls are looked at while the observer pursues a frozen tensor that something else than a step moved, and between
steps only. Of other writes the checks around them give the bound.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, ClassVar

from torch import nn

from frostline.core.facts import Fact, LineSeen
from frostline.frameworks.patching import put
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.guards import dynamo_guard
from frostline.frameworks.torch.tensors.tensor_lines import TensorLines
from frostline.observe.script_lines import script_line

WRITES = (
    *("copy_", "fill_", "zero_", "add_", "sub_", "mul_", "div_", "lerp_", "addcmul_", "addcdiv_", "set_", "renorm_"),
    *("clamp_", "clamp_min_", "clamp_max_", "normal_", "uniform_", "masked_fill_", "index_copy_", "index_fill_"),
    *("__setitem__", "__iadd__", "__isub__", "__imul__", "__itruediv__"),
)


class WriteLines:
    """Notes lines that write, as far as they are looked at.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (LineSeen,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lines = TensorLines(context.recorder.clock)
        self._calls: list[Callable[[], None]] = []  # what takes the calls out of sight again

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        signals = self._context.signals
        signals.loaded.append(self._loaded)
        signals.data_taken.append(lambda tensor: self._lines.note(tensor, "data", script_line()))
        signals.step_nears.append(self._before_step)
        signals.step_ended.append(lambda *_: self._show_calls())
        signals.check_ended.append(self._after_check)
        signals.finished.append(self._tell)
        return [self._hide_calls]

    def _loaded(self, _: nn.Module, keys: list[Hashable], __: set[str], ___: object) -> None:
        recorder, line = self._context.recorder, script_line()
        numbers = tuple(recorder.tensors[key].row.id for key in keys)
        if numbers and line is not None:
            recorder.tell(LineSeen(step=recorder.steps, act="loaded", tensors=numbers, origin=line))

    def _before_step(self, _: Hashable, __: bool) -> None:
        self._hide_calls()

    def _after_check(self, _: Hashable) -> None:
        self._tell()
        self._show_calls()

    def _show_calls(self) -> None:
        if self._context.recorder.attribution.followed and not self._calls:
            self._calls = [put(nn.Parameter, name, self._observed(name)) for name in WRITES]

    def _observed(self, name: str) -> Callable[..., Any]:
        return dynamo_guard.observed(getattr(nn.Parameter, name), self._call)

    def _call(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        try:
            self._lines.note(args[0], "wrote", script_line())
        except Exception as error:
            self._context.fault("torch: a parameter was written to", error)
        return result

    def _hide_calls(self) -> None:
        while self._calls:
            self._calls.pop()()

    def _tell(self) -> None:
        for line in self._lines.told(self._context.models.tensors):
            self._context.tell(line)
