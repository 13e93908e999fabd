"""Which lines of the script call ``train()`` and ``eval()`` of modules."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from frostline.core.events import Act
from frostline.core.events.fact import Origin
from frostline.core.facts import Fact, LineSeen
from frostline.frameworks.patching import Nesting, put
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.guards import dynamo_guard
from frostline.observe.script_lines import makers, script_line

_METHODS = ("train", "eval")


@dataclass(slots=True)
class _Call:
    """The last call of one line on a module; ``number`` orders calls."""

    module: weakref.ref[nn.Module]
    act: Act
    line: Origin
    step: int
    number: int


class ModeLines:
    """Notes the outermost calls, and tells of each tensor the last call that set the mode of its module.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (LineSeen,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._calls_of_train = Nesting()
        self._calls: dict[tuple[int, Act, Origin], _Call] = {}
        self._count = self._seen = 0
        self._told: dict[tuple[int, Act], Origin] = {}

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.check_ended.append(self._tell)
        self._context.signals.finished.append(self._tell)
        return [put(nn.Module, "train", dynamo_guard.observed(nn.Module.train, self._train))]

    def _train(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        with self._calls_of_train:
            result = function(*args, **kwargs)
        if self._calls_of_train.depth:  # it was called by a module around this one
            return result
        try:
            self._note(args[0], bool(args[1] if len(args) > 1 else kwargs.get("mode", True)))
        except Exception as error:
            self._context.fault("torch: a mode was set", error)
        return result

    def _note(self, module: nn.Module, mode: bool) -> None:
        line = script_line(but=makers(module, _METHODS))
        if line is None:
            return
        act: Act = "train" if mode else "eval"
        self._count += 1
        call = _Call(weakref.ref(module), act, line, self._context.recorder.steps, self._count)
        self._calls[id(module), act, line] = call

    def _tell(self, _: Hashable = None) -> None:
        """Tell what is news; of many calls of one line only the first is."""
        if self._seen == self._count:
            return
        self._seen = self._count
        self._calls = {key: call for key, call in self._calls.items() if call.module() is not None}
        groups: dict[tuple[Act, Origin, int], list[int]] = {}
        for model in self._context.models.models:
            calls = self._by_path(model.root) if model.root is not None else {}
            for entry in model.tensors if calls else ():
                for act in ("train", "eval"):
                    call = _last(calls, entry.row.owner.path, act)
                    if call is not None and self._told.get((entry.row.id, call.act)) != call.line:
                        self._told[entry.row.id, call.act] = call.line
                        groups.setdefault((call.act, call.line, call.step), []).append(entry.row.id)
        for (act, line, step), numbers in groups.items():
            self._context.tell(LineSeen(step=step, act=act, tensors=tuple(numbers), origin=line))

    def _by_path(self, root: nn.Module) -> dict[str, list[_Call]]:
        """The calls by the paths of their modules; those of what holds the model are on its root."""
        paths = {id(module): path for path, module in root.named_modules()}
        calls: dict[str, list[_Call]] = {}
        for call in self._calls.values():
            module = call.module()
            path = paths.get(id(module))
            if path is None and module is not None and any(each is root for each in module.modules()):
                path = ""
            if path is not None:
                calls.setdefault(path, []).append(call)
        return calls


def _last(calls: dict[str, list[_Call]], path: str, act: str) -> _Call | None:
    """The last call of this kind on the module at ``path`` or one around it."""
    around = ["", *(path[:stop] for stop, letter in enumerate(path) if letter == "."), path]
    mine = [call for place in dict.fromkeys(around) for call in calls.get(place, ()) if call.act == act]
    return max(mine, key=lambda call: call.number, default=None)
