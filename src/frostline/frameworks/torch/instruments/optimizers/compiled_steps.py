"""Functions that torch.compile has compiled: a call in which an optimizer moves its tensors is a step of it.

The optimizer's hooks are not called in there, they were traced away; so the call is the bracket. Whether a function
steps at all is told by the bits, at its 1st, 2nd, 4th, … call, until it was seen to.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from frostline.core.facts import Fact, StepCompiled
from frostline.digest.blocks import BLOCK, Digest, blocks
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.guards import dynamo_guard
from frostline.frameworks.torch.guards.no_tracing import aside
from frostline.frameworks.torch.optimizers.optimizers import held
from frostline.frameworks.torch.tensors.tensors import host_bytes
from frostline.observe.protocols import Hold, Unreadable
from frostline.observe.schedule import due

SAMPLED = 16  # tensors of each optimizer, the smallest first; a step moves all that get a gradient
Sample = dict[int, Digest]


@dataclass(slots=True, eq=False)
class Compiled:
    """One compiled function: how often it was called, and the optimizer whose step it was seen to be.

    ``eager`` says that the compiler left the step to the interpreter: there the hooks see it.
    """

    calls: int = 0
    optimizer: Hashable = None
    eager: bool = False
    met: bool = False


class CompiledSteps:
    """Brackets the calls of compiled functions.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (StepCompiled,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._steps: set[Hashable] = set()  # optimizers that step inside a compiled function
        self._open: Compiled | None = None
        self._samples: list[tuple[torch.optim.Optimizer, Sample]] = []

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        signals = self._context.signals
        signals.step_nears.append(lambda *_: self._eager_step())
        signals.holds_read.append(self._note_inside)
        return [self._context.wrap(torch, "compile", self._compile)]

    def _compile(self, wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        model = args[0] if args else kwargs.get("model")
        if model is not None and not _may_step(model):
            self._context.quietly("before a compilation", self._before_compilation, model)
        compiled = wrapped(*args, **kwargs)
        return self._observed(compiled, model) if _may_step(model) else compiled

    def _before_compilation(self, model: Any) -> None:
        context = self._context
        if isinstance(model, torch.nn.Module):
            context.meet(model)
        context.forwards.block()
        context.recorder.clock.steps_unseen = True
        context.tell(StepCompiled(step=context.recorder.steps, model=type(model).__name__))

    def _note_inside(self, key: Hashable, holds: dict[Hashable, Hold]) -> None:
        for hold in holds.values():
            hold.inside = key in self._steps

    def _observed(self, compiled: Callable[..., Any], plain: Any) -> Callable[..., Any]:
        """The compiled function with a bracket around each call that is not inside another.

        Libraries compile functions that nobody calls: the first call counts as the compilation of the ``plain`` one.
        """
        told = Compiled()

        def call(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
            if not told.met:
                told.met = True
                self._context.quietly("before a compilation", self._before_compilation, plain)
            if self._open is not None:
                return function(*args, **kwargs)
            self._quietly("before a compiled function", self._begin, told)
            try:
                result = function(*args, **kwargs)
            except BaseException:
                self._give_up()
                raise
            self._quietly("after a compiled function", self._end, told)
            return result

        return dynamo_guard.observed(compiled, call)

    def _eager_step(self) -> None:
        """A hook sees a step inside the call under way: it is not the call that steps."""
        if self._open is not None:
            self._open.eager = True
            self._give_up()

    def _give_up(self) -> None:
        if self._open is not None and self._open.optimizer is not None:
            self._context.recorder.forgot_step()
        self._open = None

    def _quietly(self, where: str, act: Callable[[Compiled], None], told: Compiled) -> None:
        try:
            act(told)
        except Exception as error:
            self._give_up()
            self._context.fault(f"torch: {where}", error)

    def _begin(self, told: Compiled) -> None:
        told.calls += 1
        if told.eager or self._context.under_way:
            return
        if told.optimizer is not None:
            self._open = told
            self._context.recorder.before_step(told.optimizer)
        elif due(told.calls):
            self._samples = self._look_before()
            self._open = told if self._samples else None

    def _look_before(self) -> list[tuple[torch.optim.Optimizer, Sample]]:
        """A compiled function is about to run that may step: look at every tensor; a sample of each optimizer."""
        context = self._context
        optimizers = context.optimizers.known()
        with aside():
            for optimizer in optimizers:
                context.owners.meet(optimizer)
            context.recorder.look_now(list(context.recorder.tensors))
            return [(optimizer, _sample(optimizer)) for optimizer in optimizers]

    def _end(self, told: Compiled) -> None:
        if self._open is not told:
            return
        self._open = None
        if told.optimizer is None:
            moved = [optimizer for optimizer, before in self._samples if _sample(optimizer) != before]
            self._samples = []
            if not moved:
                return
            told.optimizer = self._context.optimizers.joined(moved)
            self._steps.add(told.optimizer)
            self._context.recorder.late_step(told.optimizer)
        self._context.stepped(told.optimizer)


def _may_step(compiled: Any) -> bool:
    """Whether a call of what is compiled can be a whole step: a function, but no model and no model's forward pass."""
    owner = getattr(compiled, "__self__", None)
    return compiled is not None and not isinstance(compiled, torch.nn.Module) and not isinstance(owner, torch.nn.Module)


def _sample(optimizer: torch.optim.Optimizer) -> Sample:
    """Digests of the first blocks of some tensors that the optimizer holds."""
    open_ones = [tensor for tensor in held(optimizer) if tensor.requires_grad]
    sample: Sample = {}
    for tensor in sorted(open_ones, key=torch.Tensor.numel)[:SAMPLED]:
        try:
            sample[id(tensor)] = blocks(memoryview(host_bytes(tensor)).cast("B")[:BLOCK])
        except Unreadable:
            continue
    return sample
