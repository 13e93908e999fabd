"""What every instrument of Keras is given: the recorder, known models and optimizers, the step under way, signals."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from frostline.core.journal import Journal
from frostline.frameworks.keras_common.answers import Answers
from frostline.frameworks.keras_common.keras_api import Dialect
from frostline.frameworks.keras_common.models.models import Models
from frostline.frameworks.keras_common.optimizers.optimizers import Optimizers
from frostline.frameworks.keras_common.signals import Signals
from frostline.frameworks.keras_common.steps import Steps
from frostline.frameworks.patching import put
from frostline.observe.observer import Observer
from frostline.settings import Settings

Wrapper = Callable[..., Any]  # is given the original method, the instance, and the arguments


class Context:
    """The base files of Keras put together for one run.

    Args:
        dialect: how one generation of Keras spells things.
        settings: of the run.
        journal: takes the facts.
        on_check: called after each check.
        fault: takes errors inside frostline, which never reach the script.
    """

    def __init__(
        self,
        dialect: Dialect,
        settings: Settings,
        journal: Journal,
        on_check: Callable[[], None],
        fault: Callable[[str, BaseException], None],
    ) -> None:
        self.dialect = dialect
        self._fault = fault
        self.signals = Signals()
        answers = Answers(dialect, self.signals)
        self.recorder = Observer(answers, settings, journal, on_check)
        self.tell = self.recorder.tell
        self.models = answers.models = Models(self.recorder, dialect, lambda each: self.steps.gradient_of(each))
        self.optimizers = answers.optimizers = Optimizers(self.models)
        self.steps = answers.steps = Steps(self.models, self.optimizers, self.signals, self.quietly)
        self.removers: list[Callable[[], None]] = []
        self.closed = False

    # Hooks, in which an error of ours stays with us

    def wrap(self, owner: Any, name: str, wrapper: Wrapper) -> Callable[[], None]:
        """Put ``wrapper(original, self, …)`` in place of a method; returns what takes it away again."""
        definer = next(base for base in owner.__mro__ if name in vars(base))
        original = vars(definer)[name]

        @functools.wraps(original)
        def observed(instance: Any, *args: Any, **kwargs: Any) -> Any:
            return wrapper(original, instance, *args, **kwargs)

        return put(definer, name, observed)

    def wrap_function(self, module: Any, name: str, wrapper: Wrapper) -> Callable[[], None]:
        """Put ``wrapper(original, …)`` in place of a function; returns what takes it away again."""
        original = getattr(module, name)
        return put(module, name, functools.wraps(original)(functools.partial(wrapper, original)))

    def quietly(self, where: str, act: Callable[[], Any]) -> Any:
        """Do our part of a wrapped call; whatever goes wrong in it is ours and stays with us."""
        if self.closed:
            return None
        try:
            return act()
        except Exception as error:
            self._fault(f"{self.dialect.package}: {where}", error)
            return None

    def publish(self, where: str, callbacks: Iterable[Callable[..., None]], *told: Any) -> None:
        """Call everyone who subscribed; what fails in one is no matter of the others."""
        for callback in callbacks:
            self.quietly(where, functools.partial(callback, *told))
