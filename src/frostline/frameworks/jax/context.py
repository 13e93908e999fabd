"""What every instrument of JAX is given: the recorder, the calls under way, and signals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from frostline.core.journal import Journal
from frostline.frameworks.imports import when_imported
from frostline.frameworks.jax.answers import Answers
from frostline.frameworks.jax.signals import Signals
from frostline.frameworks.jax.steps.calls import Calls
from frostline.frameworks.jax.steps.functions import Lowered
from frostline.frameworks.jax.steps.learning import Learning
from frostline.frameworks.jax.steps.updates import Updates
from frostline.frameworks.jax.steps.values import Values
from frostline.frameworks.patching import put
from frostline.observe.observer import Observer
from frostline.settings import Settings

# Their functions are no steps of the script by themselves; the script's own are called through some of them.
LIBRARIES = frozenset(
    [
        "jax",
        "jaxlib",
        "optax",
        "flax",
        "equinox",
        "chex",
        "haiku",
        "orbax",
        "jaxopt",
        "distrax",
        "diffrax",
        "optimistix",
        "lineax",
        "keras",
        "qwix",
    ]
)

Found = TypeVar("Found")


class Context:
    """The base files of JAX put together for one run.

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
        self._fault = fault
        self.signals = Signals()
        self.answers = Answers()
        self.answers.finished = self.signals.finished
        self.recorder = Observer(self.answers, settings, journal, on_check)
        self.tell = self.recorder.tell
        self.values = Values(lambda key: self.recorder.tensors[key].digest)
        self.learning = Learning(self.recorder, self.answers, self.values, self.signals, self.quietly)
        self.calls = Calls(self.recorder, self.values, self.signals, self.learning.learn, self.quietly, self.fault)
        self.learning.end_former = self.calls.finish
        self.updates = Updates(self.calls, self.learning.learn, tuple(LIBRARIES))
        self.lowered: WeakKeyDictionary[Any, Lowered] = WeakKeyDictionary()
        self.removers: list[Callable[[], None]] = []

    def quietly(self, where: str, act: Callable[..., Any], *args: Any) -> None:
        """Do our part of a wrapped call; whatever goes wrong in it is ours and stays with us."""
        try:
            act(*args)
        except Exception as error:
            self.fault(where, error)

    def fault(self, where: str, error: BaseException) -> None:
        """An error inside frostline."""
        self._fault(f"jax: {where}", error)

    def attempt(self, where: str, act: Callable[..., Found], *args: Any) -> Found | None:
        """What our part of a wrapped call gives; None where something goes wrong in it."""
        try:
            return act(*args)
        except Exception as error:
            self.fault(where, error)
            return None

    def when_imported(self, module: str, hook: Callable[[Any], None]) -> None:
        """Hook a library once it is imported, if the run is not over by then."""

        def imported(library: Any) -> None:
            self.quietly(f"{module} was imported", hook, library)

        self.removers.append(when_imported(module, imported))

    def put(self, owner: Any, name: str, ours: Any) -> None:
        """Put ``ours`` in place of what ``owner`` has under ``name``, until the run is over."""
        self.removers.append(put(owner, name, ours))


def is_library(function: Any) -> bool:
    """Whether a function is of a library rather than of the script."""
    inner = getattr(function, "func", function)  # of functools.partial
    return (getattr(inner, "__module__", None) or "").partition(".")[0] in LIBRARIES
