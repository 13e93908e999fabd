"""Functions that torch.compile has compiled: a call in which an optimizer moves its tensors is a step of it.

The optimizer's hooks are not called in there, they were traced away; so the call is the bracket. Whether a function
steps at all is told by the bits, at its 1st, 2nd, 4th, … call, until it was seen to.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from frostline.digest.blocks import BLOCK, Digest, blocks
from frostline.frameworks.torch_probe import entries
from frostline.frameworks.torch_probe.leaf import host_bytes
from frostline.frameworks.torch_probe.programs import held
from frostline.observe.live import Unreadable
from frostline.observe.schedule import due

if TYPE_CHECKING:
    from frostline.frameworks.torch_probe.probe import TorchProbe

SAMPLED = 16  # tensors of each optimizer, the smallest first; a step moves all that get a gradient
Sample = dict[int, Digest]


@dataclass(slots=True, eq=False)
class Compiled:
    """One compiled function: how often it was called, and the program whose step it was seen to be.

    ``eager`` says that the compiler left the step to the interpreter: there the hooks see it.
    """

    calls: int = 0
    program: Hashable = None
    eager: bool = False


class CompiledCalls:
    """Brackets the calls of compiled functions.

    Args:
        probe: asked for optimizers and programs, told of steps.
    """

    def __init__(self, probe: TorchProbe) -> None:
        self.probe = probe
        self.programs: set[Hashable] = set()
        self._open: Compiled | None = None
        self._samples: list[tuple[torch.optim.Optimizer, Sample]] = []

    def observed(self, compiled: Callable[..., Any]) -> Callable[..., Any]:
        """The compiled function with a bracket around each call that is not inside another."""
        told = Compiled()

        def call(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
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

        return entries.observed(compiled, call)

    def eager_step(self) -> None:
        """A hook sees a step inside the call under way: it is not the call that steps."""
        if self._open is not None:
            self._open.eager = True
            self._give_up()

    def _give_up(self) -> None:
        if self._open is not None and self._open.program is not None:
            self.probe.observer.forgot_step()
        self._open = None

    def _quietly(self, where: str, act: Callable[[Compiled], None], told: Compiled) -> None:
        try:
            act(told)
        except Exception as error:
            self._give_up()
            self.probe.fault(f"torch: {where}", error)

    def _begin(self, told: Compiled) -> None:
        told.calls += 1
        if told.eager or self.probe.stepping:
            return
        if told.program is not None:
            self._open = told
            self.probe.observer.before_step(told.program)
        elif due(told.calls):
            self._samples = self.probe.look_before_compiled(_sample)
            self._open = told if self._samples else None

    def _end(self, told: Compiled) -> None:
        if self._open is not told:
            return
        self._open = None
        if told.program is None:
            moved = [optimizer for optimizer, before in self._samples if _sample(optimizer) != before]
            self._samples = []
            if not moved:
                return
            told.program = self.probe.programs.joined(moved)
            self.programs.add(told.program)
            self.probe.observer.late_step(told.program)
        self.probe.stepped(told.program)


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
