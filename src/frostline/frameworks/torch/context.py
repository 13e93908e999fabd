"""What every instrument of PyTorch is given: the recorder, the models and optimizers that are known, and signals."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any

import torch
import wrapt
from torch import nn

from frostline.core.journal import Journal
from frostline.frameworks.imports import when_imported
from frostline.frameworks.patching import put
from frostline.frameworks.torch.answers import Answers
from frostline.frameworks.torch.forward_passes import ForwardPasses
from frostline.frameworks.torch.guards.no_tracing import aside
from frostline.frameworks.torch.guards.training_thread import StepsUnderWay, TrainingThread
from frostline.frameworks.torch.models import modules
from frostline.frameworks.torch.models.models import Models
from frostline.frameworks.torch.optimizers.optimizer_owners import Owners
from frostline.frameworks.torch.optimizers.optimizers import Optimizers
from frostline.frameworks.torch.signals import Signals
from frostline.observe.observer import Observer
from frostline.settings import Settings

Wrapper = Callable[[Any, Any, Any, Any], Any]  # the wrapped method, the instance, its arguments and keyword arguments


class Context:
    """The base files of PyTorch put together for one run.

    Args:
        settings: of the run.
        journal: takes the facts.
        on_check: called after each check.
        fault: takes errors inside frostline, which never reach the script.
    """

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        on_check: Callable[[], None],
        fault: Callable[[str, BaseException], None],
    ) -> None:
        self.fault = fault
        self.signals = Signals()
        answers = Answers(self.signals, fault)
        self.recorder = Observer(answers, settings, journal, on_check, aside)
        self.recorder.flags.setting_up = True
        self.tell = self.recorder.tell
        self.models = answers.models = Models(self.recorder, lambda: self.optimizers.all_held())
        self.optimizers = answers.optimizers = Optimizers(self.recorder)
        self.owners = Owners(self.models)
        self.thread = TrainingThread()
        self.under_way = StepsUnderWay(self.recorder.forgot_step)
        self.forwards = ForwardPasses(self.models, self.signals, self.thread.is_here, fault)
        self.backwards = 0  # backward passes of the run
        self.removers: list[Callable[[], None]] = []

    # Models and optimizers

    def meet(self, module: nn.Module) -> None:
        """Take the model around this module under observation."""
        if not self.models.knows(module):
            self.models.add(modules.roots_of([module]))

    def id_of(self, optimizer: torch.optim.Optimizer) -> Hashable:
        """The id of an optimizer's row, which it gets now if it has none."""
        known = self.optimizers.registered(optimizer)
        key = self.optimizers.key(optimizer)
        if not known:
            self.publish("an optimizer was found", self.signals.optimizer_found, key)
        return key

    def name_of(self, tensor: Any) -> str:
        """The name of a tensor under observation, else nothing."""
        entry = self.models.of(tensor)
        return entry.row.name if entry is not None else ""

    def names_of(self, tensors: Iterable[Any]) -> tuple[str, ...]:
        """The names of those of the tensors that are under observation."""
        return tuple(name for tensor in tensors if (name := self.name_of(tensor)))

    # Steps

    def stepped(self, key: Hashable) -> None:
        """An optimizer has stepped: let the recorder look, and tell of the check where it was one."""
        checked = self.recorder.checks
        self.recorder.after_step(key)
        if self.recorder.checks > checked:
            with aside():
                self.forwards.switch(True)
                self.publish("after a check", self.signals.check_ended, key)

    def check_ahead(self) -> bool:
        """Whether the coming step of some optimizer is a check."""
        rows = self.recorder.optimizers.values()
        return not rows or any(self.recorder.tracked.is_due(row) for row in rows)

    # Hooks, in which an error of ours stays with us

    def publish(self, where: str, callbacks: Iterable[Callable[..., None]], *told: Any) -> None:
        """Call everyone who subscribed; what fails in one is no matter of the others."""
        for callback in callbacks:
            try:
                callback(*told)
            except Exception as error:
                self.fault(f"torch: {where}", error)

    def quietly(self, where: str, act: Callable[..., Any], *args: Any) -> None:
        """Do our part of a wrapped call; whatever goes wrong in it is ours and stays with us."""
        try:
            with aside():
                act(*args)
        except Exception as error:
            self.fault(f"torch: {where}", error)

    def wrap(self, owner: Any, name: str, wrapper: Wrapper) -> Callable[[], None]:
        """Put ``wrapper`` around a method; returns what takes it away again."""
        return put(owner, name, wrapt.FunctionWrapper(vars(owner)[name], wrapper))

    def wrap_when_imported(self, module: str, owner: str, method: str, wrapper: Wrapper) -> None:
        """Put ``wrapper`` around a method of a library once that is imported, if the run is not over by then."""

        def imported(library: Any) -> None:
            kind = getattr(library, owner, None)
            if kind is not None and method in vars(kind):
                self.removers.append(self.wrap(kind, method, wrapper))

        self.removers.append(when_imported(module, imported))
