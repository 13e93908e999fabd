"""Modules whose output the module that called them drops: they compute, and nothing comes of it."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

_PLAIN = (int, float, complex, bool, str, bytes, type(None))


class Drops:
    """Looks, where no gradient has reached a module, whether its caller's output depends on what it returned.

    Only the passes after a first backward pass are looked at, and only the callers of modules that it left out: where
    every module gets its gradient nothing is walked.
    """

    def __init__(self) -> None:
        self._dropped: dict[int, weakref.ref[nn.Module]] = {}
        self._kept: set[int] = set()
        self._suspects: set[int] = set()
        self._calls: list[list[tuple[nn.Module, set[Any]]]] = []  # by depth: modules that returned, with their nodes

    def begin(self, recorded: set[int], reached: set[int]) -> None:
        """An outermost forward pass begins; the modules that ``recorded`` and were not ``reached`` are suspect."""
        self._suspects = recorded - reached if reached else set()
        self._calls.clear()

    def enter(self) -> None:
        """A module is called."""
        self._calls.append([])

    def leave(self, module: nn.Module, output: Any) -> None:
        """The module has returned ``output``: judge the suspects that it called, and tell its own caller."""
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

    def found(self) -> set[int]:
        """The ids of modules whose output was dropped in every pass that was looked at, and of those inside them."""
        alive = [module for key, each in self._dropped.items() if key not in self._kept and (module := each())]
        return {id(inner) for module in alive for inner in module.modules()}

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
