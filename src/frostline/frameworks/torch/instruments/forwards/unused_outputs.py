"""Modules whose output the module that called them drops: they compute, and nothing comes of it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import torch
from torch import nn

from frostline.core.facts import Fact, ModuleSeen
from frostline.frameworks.torch.context import Context

_PLAIN = (int, float, complex, bool, str, bytes, type(None))


class UnusedOutputs:
    """Looks, where no gradient has reached a module, whether its caller's output depends on what it returned.

    Only the passes after a first backward pass are looked at, and only the callers of modules that it left out: where
    every module gets its gradient nothing is walked.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (ModuleSeen,)

    def __init__(self, context: Context) -> None:
        self._passes, self._signals = context.forwards, context.signals
        self._dropped: dict[int, weakref.ref[nn.Module]] = {}
        self._kept: set[int] = set()
        self._suspects: set[int] = set()
        self._calls: list[list[tuple[nn.Module, set[Any]]]] = []  # by depth: modules that returned, with their nodes

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._signals.pass_began.append(self._pass_began)
        self._signals.module_entered.append(lambda *_: self._calls.append([]))
        self._signals.module_left.append(self._leave)
        self._signals.finished.append(self._finish)
        return []

    def _pass_began(self, _: nn.Module) -> None:
        """The modules that recorded gradients in earlier passes, and that none came back to, are suspect."""
        passes = self._passes
        self._suspects = (
            (passes.recorded & passes.holders) - passes.output_got_gradient if passes.output_got_gradient else set()
        )
        self._calls.clear()

    def _leave(self, module: nn.Module, output: Any, _: list[torch.Tensor]) -> None:
        """The module has returned ``output``: look at the suspects that it called, and tell its own caller."""
        called = self._calls.pop() if self._calls else []
        if not self._suspects:
            return
        nodes = _nodes(output)
        suspects = [(inner, theirs) for inner, theirs in called if theirs and self._suspect(inner)]
        if suspects:
            within = _reachable(nodes) if nodes else None
            for inner, theirs in suspects:
                if within is None or not theirs.isdisjoint(within):
                    self._kept.add(id(inner))
                else:
                    self._dropped[id(inner)] = weakref.ref(inner)
        if self._calls and nodes:
            self._calls[-1].append((module, nodes))

    def _finish(self) -> None:
        """Dropped is what was so in every pass that was looked at, with all inside it."""
        alive = [module for key, each in self._dropped.items() if key not in self._kept and (module := each())]
        dropped = {id(inner) for module in alive for inner in module.modules()}
        self._passes.tell_modules(lambda _, module: {"dropped": id(module) in dropped})

    def _suspect(self, module: nn.Module) -> bool:
        holders = [id(each) for each in module.modules() if each._parameters]
        return bool(holders) and all(holder in self._suspects for holder in holders)


def _nodes(value: Any) -> set[Any] | None:
    """The graph's nodes of the tensors in ``value``; None where it holds something that cannot be looked into."""
    if isinstance(value, torch.Tensor):
        return {value.grad_fn} if value.grad_fn is not None else set()
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        inner = [_nodes(each) for each in value]
        return None if None in inner else set().union(*(each for each in inner if each))
    return set() if isinstance(value, _PLAIN) else None


def _reachable(nodes: Iterable[Any]) -> set[Any]:
    """These nodes of the graph and all that they were computed from."""
    seen, waiting = set(nodes), list(nodes)
    while waiting:
        for before, _ in waiting.pop().next_functions:
            if before is not None and before not in seen:
                seen.add(before)
                waiting.append(before)
    return seen
