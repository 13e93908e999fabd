"""The step under way: announced to the recorder by whichever instrument sees it first, of one optimizer at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from frostline.core.facts import OptimizerSeen
from frostline.core.ledger import Gradient
from frostline.frameworks.keras_common.models.models import Models
from frostline.frameworks.keras_common.optimizers.captured_step import Source
from frostline.frameworks.keras_common.optimizers.gradient_inference import gradient_of
from frostline.frameworks.keras_common.optimizers.optimizers import Optimizers, described
from frostline.frameworks.keras_common.signals import Signals
from frostline.observe.schedule import due

MOVES_PER_TENSOR = 4


class Steps:
    """Begins and ends steps, and notes what an optimizer is given in them.

    ``running`` is the step under way; ``loose`` the one among them whose end nobody can see. ``function`` is the
    function under way that the script compiled, and ``applying`` counts the calls of optimizers under way. ``rates``
    are those read at the last check, by the optimizers' ids.

    Args:
        models: the models under observation.
        optimizers: those seen so far.
        signals: name what a train step that is a check runs inside.
        quietly: keeps errors of ours with us.
    """

    def __init__(
        self, models: Models, optimizers: Optimizers, signals: Signals, quietly: Callable[[str, Callable[[], Any]], Any]
    ) -> None:
        self._recorder = models.observer
        self._dialect = models.dialect
        self._models = models
        self._optimizers = optimizers
        self._signals = signals
        self._quietly = quietly
        self.running: Source | None = None
        self.loose: Source | None = None
        self.function: Any = None
        self.applying = 0
        self.rates: dict[Hashable, list[float | None]] = {}

    # From their beginning to their end

    @contextlib.contextmanager
    def step(self, find: Callable[[], Source]) -> Iterator[Source | None]:
        """Everything inside is one step of the optimizer that ``find`` names, unless a step is under way already."""
        source = self.begin(find)
        try:
            yield source
        except BaseException:
            if source is not None:
                self.break_off(source)
            raise
        if source is not None:
            self.end(source)

    @contextlib.contextmanager
    def train_step(self, model: Any, find: Callable[[], Source]) -> Iterator[None]:
        """As ``step``, of a model's own train step, which instruments look into where it is a check."""
        with contextlib.ExitStack() as stack:
            source = stack.enter_context(self.step(find))
            for around in self._signals.checked_step if source is not None and self._recorder.checking else ():
                stack.enter_context(around(model))
            yield

    def begin(self, find: Callable[[], Source]) -> Source | None:
        """A step of the optimizer that ``find`` names begins; None when another is under way."""
        self.end_loose_step()
        if self.running is not None:
            return None
        begun: Source | None = self._quietly("before a step", lambda: self._begin(find()))
        return begun

    def end(self, source: Source) -> None:
        """The step is over."""
        self._quietly("after a step", lambda: self._end(source))

    def break_off(self, source: Source) -> None:
        """The step ended in an exception: what it was about to hold is undone."""
        self._quietly("after a step that broke off", lambda: self._break_off(source))

    def loose_step(self, find: Callable[[], Source]) -> None:
        """A step begins whose end nobody can see: it is over when the next one begins, or at the end of the run."""
        self.loose = self.begin(find)

    def end_loose_step(self) -> None:
        """The step without an end, if there is one, is over."""
        source, self.loose = self.loose, None
        if source is not None:
            self.end(source)

    def _begin(self, source: Source) -> Source:
        model = source.model() if source.model is not None else None
        if model is not None:
            self._models.meet(model)
        self._models.enter(model)
        for begins in self._signals.step_begins:
            begins()
        self.running = source
        source.tally.begin(source, self._dialect)
        self._wake(source)
        try:
            self._recorder.before_step(source.key)
        except BaseException:
            self.running = None
            raise
        return source

    def _wake(self, source: Source) -> None:
        """A tensor that another optimizer moved last is read again, so that it shows whether this one moves it too."""
        optimizer = self._recorder.optimizers[source.key]
        if len(self._optimizers.sources) < 2 or source.capture is None or not due(optimizer.steps_executed + 1):
            return
        for entry in self._models.tensors:
            watched = self._recorder.tensors[entry.key]
            moves = [move.optimizer for move in entry.row.changed.movements if move.place == "step"]
            held = id(entry.variable) in source.capture.flags
            if held and watched.settled and 0 < len(moves) < MOVES_PER_TENSOR and moves[-1] != source.key:
                watched.settled = False
                watched.rebase(self._recorder.clock.now)

    def _end(self, source: Source) -> None:
        try:
            changed = source.settle()
            checks = self._recorder.checks
            if changed:
                self._recorder.update_holdings(source.key)
            source.tally.note(source, self._dialect)
            if self._recorder.checking:
                self._read_rates(source)
            self._recorder.after_step(source.key)
            if self._recorder.checks > checks or changed:
                self._describe(source)
        finally:
            self.running = None
            if source.capture is not None:
                source.capture.gradients = {}
            for ended in self._signals.step_ended:
                ended()

    def _break_off(self, source: Source) -> None:
        source.revert()
        try:
            self._recorder.update_holdings(source.key)
            self._recorder.forgot_step()
        finally:
            self.running = None

    # What is known of the optimizer and of gradients

    @contextlib.contextmanager
    def apply(self) -> Iterator[None]:
        """Inside, an optimizer applies gradients: what it assigns is no write of a forward pass."""
        self.applying += 1
        try:
            yield
        finally:
            self.applying -= 1

    def applied(self, optimizer: Any, variables: list[Any], gradients: list[Any]) -> None:
        """An optimizer was given variables, in a step under way; tell which."""
        source = self.running
        if source is None or source.mode == "positional":
            return
        self._models.meet_variables(variables)
        tensors = [self._models.of(variable) for variable in variables]
        source.captured(optimizer, variables, gradients, [entry.flag_in_step() if entry else None for entry in tensors])
        if source.mode == "traced" and source.fresh is not None:
            source.fresh.trainable = {id(entry.variable) for entry in self._models.tensors if entry.flag_in_step()}

    def gradient_of(self, variable: Any) -> tuple[Gradient, bytes | None]:
        """What is known of a variable's gradient at this moment."""
        return gradient_of(variable, self.running.capture if self.running is not None else None, self._dialect)

    def _describe(self, source: Source) -> None:
        optimizer, capture = self._recorder.optimizers[source.key], source.capture
        assert capture is not None
        at = optimizer.captured_at
        held = [entry for entry in self._models.tensors if id(entry.variable) in capture.flags]
        self._read_rates(source)
        self._recorder.tell(
            OptimizerSeen(
                optimizer=optimizer.id,
                captured_at=self._recorder.steps if source.mode == "traced" and at is None else at,
                stateless=source.hands_back,
                models=list(dict.fromkeys(entry.row.model for entry in held)) or optimizer.models,
                groups=described(source, held, self._dialect),
            )
        )

    def _read_rates(self, source: Source) -> None:
        groups = [(reference(), part) for reference, part in source.groups]
        self.rates[source.key] = [
            None if each is None else self._dialect.optimizers.rate(each, part) for each, part in groups
        ]
