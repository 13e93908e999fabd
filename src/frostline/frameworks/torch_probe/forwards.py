"""What forward passes tell: which modules were called, under gradient recording or not, and whose output was cut."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.nn.modules import module as hooks

from frostline.frameworks.torch_probe import discover
from frostline.frameworks.torch_probe.brackets import Brackets
from frostline.frameworks.torch_probe.drops import Drops
from frostline.frameworks.torch_probe.leaf import shape_of
from frostline.frameworks.torch_probe.reads import Reads

_DEPTH = 3


class Forwards:
    """Global forward hooks that are on for single iterations: until the roots are known, and around checks.

    While a model is compiled they stay off, because the compiler would trace them (and says so on the console).

    Args:
        on_root: called with an outermost module just before its forward pass.
        brackets: the modules whose forward pass is looked at.
        is_known: whether a module belongs to a model under observation.
        is_here: whether the present thread is the one under observation.
        fault: takes errors of ours.
    """

    def __init__(
        self,
        on_root: Callable[[nn.Module], None],
        brackets: Brackets,
        is_known: Callable[[nn.Module], bool],
        is_here: Callable[[], bool],
        fault: Callable[[str, BaseException], None],
    ) -> None:
        self.on_root, self.brackets = on_root, brackets
        self.is_known, self.is_here, self.fault = is_known, is_here, fault
        self.called: set[int] = set()
        self.recorded: set[int] = set()
        self.in_training: set[int] = set()
        self.detached: set[int] = set()
        self.remade: dict[str, int] = {}
        self.drops = Drops()
        self.reads = Reads()
        self._ignoring = False
        self._strangers: list[tuple[str, weakref.ref[nn.Module]]] = []
        self.blocked: str | None = None
        self.passes = 0  # outermost forward passes seen
        self._depth = 0
        self._outputs: dict[int, list[tuple[nn.Module, StorageWeakRef]]] = {}  # by address of the data
        self.reached: set[int] = set()
        self.holders: set[int] = set()  # modules with weights of their own whose output is listened to
        self._left: list[tuple[nn.Module, set[tuple[int, ...]]]] = []  # modules left since the last one was entered
        self._given: set[int] = set()  # addresses that came in during this pass
        self._handles: list[Any] = []

    def switch(self, wanted: bool) -> None:
        """Install or remove the hooks."""
        if wanted and not self._handles and self.blocked is None:
            self._depth = 0
            self._handles = [
                hooks.register_module_forward_pre_hook(self._before),
                hooks.register_module_forward_hook(self._after, always_call=True),
            ]
        elif not wanted and self._handles:
            for handle in self._handles:
                handle.remove()
            self._handles = []
            self._forget_pass()
            self.reads.end()

    def _forget_pass(self) -> None:
        """Keep nothing of the last pass: a module that the script drops must be gone."""
        self._outputs.clear()
        self._left.clear()
        self._given.clear()

    @contextmanager
    def ignoring_gradients(self, wanted: bool) -> Iterator[None]:
        """Where ``wanted``, the gradients computed in here are slopes that a loss is made of, not those of a loss."""
        self._ignoring = wanted
        try:
            yield
        finally:
            self._ignoring = False

    def block(self, reason: str) -> None:
        """Keep the hooks off for the rest of the run."""
        self.switch(False)
        self.blocked = reason

    def _before(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if _being_transformed() or not self.is_here():
            return
        self._depth += 1
        try:
            self._enter(module, inputs)
        except Exception as error:
            self.fault("torch: entering a forward pass", error)

    def _enter(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if self._depth == 1:
            self.passes += 1
            self._forget_pass()
            self._count_remade()
            self.drops.begin(self.recorded & self.holders, self.reached)
            self.on_root(module)
            self.reads.begin()
        elif _has_weights(module) and not self.is_known(module):
            self._strangers.append((type(module).__name__, weakref.ref(module)))
        self.drops.enter()
        self.called.add(id(module))
        if torch.is_grad_enabled():
            self.recorded.add(id(module))
        if module.training:
            self.in_training.add(id(module))
        for tensor in _tensors(inputs):
            for producer, storage in self._outputs.get(tensor.data_ptr(), ()):
                freed = storage.expired()  # type: ignore[no-untyped-call]  # then the address went to other data
                if not tensor.requires_grad and not freed:
                    self.detached.update(id(inner) for inner in producer.modules())
        self._note_cut(module, inputs)
        if id(module) in self.brackets.modules:
            self.brackets.enter(module, self.passes)

    def _note_cut(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        """Where values went by way of numpy or a copy, new memory of the same shape comes in without a gradient."""
        if self._left and torch.is_grad_enabled() and discover.has_parameters(module):
            given = [tensor for tensor in _tensors(inputs) if tensor.data_ptr() not in self._given]
            shapes = {shape_of(tensor) for tensor in given if not tensor.requires_grad}
            for producer, returned in self._left if len(given) == 1 else ():
                if shapes & returned:
                    self.detached.update(id(inner) for inner in producer.modules())
        self._left.clear()
        self._given.update(tensor.data_ptr() for tensor in _tensors(inputs))

    def _after(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        if _being_transformed() or not self.is_here():
            return
        self._depth = max(0, self._depth - 1)
        try:
            self._leave(module, output)
        except Exception as error:
            self.fault("torch: leaving a forward pass", error)
        if not self._depth:
            self._forget_pass()
            self.reads.end()

    def _listen(self, output: torch.Tensor, module: int) -> None:
        """Note when a gradient reaches what the module returned; the hook looks at nothing and returns nothing."""

        def arrived(_: torch.Tensor) -> None:
            if not self._ignoring:
                self.reached.add(module)

        output.register_hook(arrived)  # type: ignore[no-untyped-call]

    def _count_remade(self) -> None:
        """Modules with weights that were called inside the last pass, that no model holds, and that are gone by now."""
        for kind in {kind for kind, reference in self._strangers if reference() is None}:
            self.remade[kind] = self.remade.get(kind, 0) + 1
        self._strangers.clear()

    def _leave(self, module: nn.Module, output: Any) -> None:
        self.drops.leave(module, output)
        self._left.append((module, {shape_of(tensor) for tensor in _tensors(output) if tensor.grad_fn is not None}))
        for tensor in _tensors(output):
            if tensor.requires_grad:
                storage = StorageWeakRef(tensor.untyped_storage())  # type: ignore[no-untyped-call]
                self._outputs.setdefault(tensor.data_ptr(), []).append((module, storage))
                if module._parameters and tensor.grad_fn is not None:
                    self.holders.add(id(module))
                    self._listen(tensor, id(module))
        if id(module) in self.brackets.modules:
            self.brackets.leave(module, self.passes)


def _has_weights(module: nn.Module) -> bool:
    """Whether the module holds weights of its own; a stand-in for functional passes holds computed tensors."""
    return any(isinstance(weight, nn.Parameter) for weight in module._parameters.values())


def _being_transformed() -> bool:
    """Whether this call is traced or compiled, or a function transform (vmap, grad) runs it on stand-in tensors.

    What we do with tensors while ``torch.jit.trace`` listens would be part of the traced graph.
    """
    return (
        torch.compiler.is_compiling()
        or torch._C._get_tracing_state() is not None
        or torch._C._functorch.peek_interpreter_stack() is not None
    )


def _tensors(value: Any, depth: int = _DEPTH) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        if value.layout == torch.strided and not value.is_meta and type(value) in (torch.Tensor, nn.Parameter):
            yield value
    elif isinstance(value, (list, tuple)) and depth:
        for item in value:
            yield from _tensors(item, depth - 1)
    elif isinstance(value, dict) and depth:
        for item in value.values():
            yield from _tensors(item, depth - 1)
