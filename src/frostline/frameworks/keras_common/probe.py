"""The probe of a Keras: wrapped methods report here, and are turned into calls on the observer."""

from __future__ import annotations

import contextlib
import functools
import weakref
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

from msgspec import structs

from frostline.core.facts import AverageMisplaced, Fact, Held, ModuleSeen, OptimizerSeen, SummaryPrinted, TensorSeen
from frostline.core.journal import Journal
from frostline.core.ledger import Gradient
from frostline.digest.blocks import Digest
from frostline.frameworks.keras_common.instruments.checkpoint_writing import LayeredSaves
from frostline.frameworks.keras_common.instruments.downstream_layers import continued
from frostline.frameworks.keras_common.instruments.flag_typos import stray_flags
from frostline.frameworks.keras_common.instruments.loss_dependencies import Reaches
from frostline.frameworks.keras_common.instruments.unapplied_gradients import Asked
from frostline.frameworks.keras_common.keras_api import Dialect
from frostline.frameworks.keras_common.models.models import Models
from frostline.frameworks.keras_common.optimizers.accumulation import count_steps, note_waiting
from frostline.frameworks.keras_common.optimizers.captured_step import Source, holds
from frostline.frameworks.keras_common.optimizers.gradient_inference import (
    alike,
    gradient_of,
    is_unassigned,
    named_copy,
    settle_gradients,
    sibling_moved,
)
from frostline.frameworks.keras_common.optimizers.optimizers import Programs, described
from frostline.frameworks.keras_common.optimizers.update_bounds import update_in_units
from frostline.frameworks.keras_common.tensors.init_distribution import is_zeros, looks_initial
from frostline.frameworks.keras_common.tensors.tensors import NamedVariable
from frostline.frameworks.patching import put
from frostline.observe.observer import Observer
from frostline.observe.protocols import Hold, LiveTensor, MaskedGradient
from frostline.observe.schedule import due
from frostline.settings import Settings

MOVES_PER_TENSOR = 4

Wrapper = Callable[..., Any]


class KerasProbe:
    """Observes every model and optimizer of one generation of Keras.

    Args:
        name: the framework's import name.
        dialect: how that generation spells things.
        settings: of the run.
        journal: takes the facts.
        on_check: called after each check.
        fault: takes errors inside frostline, which never reach the script.
    """

    def __init__(
        self,
        name: str,
        dialect: Dialect,
        settings: Settings,
        journal: Journal,
        on_check: Callable[[], None],
        fault: Callable[[str, BaseException], None],
    ) -> None:
        self.name = name
        self.dialect = dialect
        self.fault = fault
        self.observer = Observer(self, settings, journal, on_check)
        self.models = Models(self.observer, dialect, self.gradient_of)
        self.optimizers = Programs(self.models)
        self.reaches = Reaches()
        self.asked = Asked(self)
        self.saves = LayeredSaves(self.models, self.observer)
        self.running: Source | None = None
        self.loose: Source | None = None
        self.applying = 0
        self.removers: list[Callable[[], None]] = []
        self.closed = False
        self.function: Any = None
        self.stack: contextlib.ExitStack | None = None
        self._summaries: list[tuple[SummaryPrinted, weakref.ref[Any]]] = []
        self._rates: dict[Hashable, list[float | None]] = {}
        self._writes: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()

    # Wrapping

    def wrap_saving(self, package: Any) -> None:
        """Note what the models of a Keras are written to, until the probe closes."""
        for method in ("save", "save_weights"):
            self.wrap(package.Model, method, functools.partial(self._saving, f"Model.{method}"))
        for function in ("save_model", "save_weights"):
            original = getattr(package.saving, function, None)
            if original is not None:
                observed = functools.wraps(original)(functools.partial(self._saving, function, original))
                self.removers.append(put(package.saving, function, observed))

    def _saving(self, by: str, original: Any, model: Any, target: Any = None, *args: Any, **kwargs: Any) -> Any:
        given = (target, *args) if target is not None else args
        result = original(model, *given, **kwargs)
        place = target if target is not None else kwargs.get("filepath")
        self.quietly("a model was saved", lambda: self.saves.wrote(model, place, by))
        return result

    def wrap(self, owner: Any, name: str, wrapper: Wrapper) -> None:
        """Put ``wrapper(original, self, …)`` in place of a method, until the probe closes."""
        definer = next(base for base in owner.__mro__ if name in vars(base))
        original = vars(definer)[name]

        @functools.wraps(original)
        def observed(instance: Any, *args: Any, **kwargs: Any) -> Any:
            return wrapper(original, instance, *args, **kwargs)

        self.removers.append(put(definer, name, observed))

    def quietly(self, where: str, act: Callable[[], Any]) -> Any:
        """Do our part of a wrapped call; whatever goes wrong in it is ours and stays with us."""
        if self.closed:
            return None
        try:
            return act()
        except Exception as error:
            self.fault(f"{self.name}: {where}", error)
            return None

    # Steps

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

    def begin(self, find: Callable[[], Source]) -> Source | None:
        """A step of the optimizer that ``find`` names begins; None when another is under way."""
        self.end_loose_step()
        if self.running is not None:
            return None
        begun: Source | None = self.quietly("before a step", lambda: self._begin(find()))
        return begun

    def end(self, source: Source) -> None:
        """The step is over."""
        self.quietly("after a step", lambda: self._end(source))

    def break_off(self, source: Source) -> None:
        """The step ended in an exception: what it was about to hold is undone."""
        self.quietly("after a step that broke off", lambda: self._break_off(source))

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
            self.models.meet(model)
        self.models.enter(model)
        self.running = source
        source.tally.begin(source, self.dialect)
        self._wake(source)
        try:
            self.observer.before_step(source.key)
        except BaseException:
            self.running = None
            raise
        return source

    def _wake(self, source: Source) -> None:
        """A tensor that another optimizer moved last is read again, so that it shows whether this one moves it too."""
        optimizer = self.observer.optimizers[source.key]
        if len(self.optimizers.sources) < 2 or source.capture is None or not due(optimizer.steps_executed + 1):
            return
        for entry in self.models.tensors:
            watched = self.observer.tensors[entry.key]
            moves = [move.optimizer for move in entry.row.changed.movements if move.place == "step"]
            held = id(entry.variable) in source.capture.flags
            if held and watched.settled and 0 < len(moves) < MOVES_PER_TENSOR and moves[-1] != source.key:
                watched.settled = False
                watched.rebase(self.observer.now)

    def _end(self, source: Source) -> None:
        try:
            changed = source.settle()
            checks = self.observer.checks
            if changed:
                self.observer.update_holdings(source.key)
            source.tally.note(source, self.dialect)
            if self.observer.checking:
                self._read_rates(source)
            self.observer.after_step(source.key)
            if self.observer.checks > checks or changed:
                self._describe(source)
        finally:
            self.running = None
            if source.capture is not None:
                source.capture.gradients = {}

    def _break_off(self, source: Source) -> None:
        source.revert()
        try:
            self.observer.update_holdings(source.key)
            self.observer.forgot_step()
        finally:
            self.running = None

    def _describe(self, source: Source) -> None:
        optimizer, capture = self.observer.optimizers[source.key], source.capture
        assert capture is not None
        at = optimizer.captured_at
        held = [entry for entry in self.models.tensors if id(entry.variable) in capture.flags]
        self._read_rates(source)
        self.observer.tell(
            OptimizerSeen(
                optimizer=optimizer.id,
                captured_at=self.observer.steps if source.mode == "traced" and at is None else at,
                stateless=source.hands_back,
                models=list(dict.fromkeys(entry.row.model for entry in held)) or optimizer.models,
                groups=described(source, held, self.dialect),
            )
        )

    def _read_rates(self, source: Source) -> None:
        groups = [(reference(), part) for reference, part in source.groups]
        rates = [None if each is None else self.dialect.rate(each, part) for each, part in groups]
        self._rates[source.key] = rates

    def applied(self, optimizer: Any, variables: list[Any], gradients: list[Any]) -> None:
        """An optimizer was given variables, in a step under way; tell which."""
        source = self.running
        if source is None or source.mode == "positional":
            return
        self.models.meet_variables(variables)
        tensors = [self.models.of(variable) for variable in variables]
        source.captured(optimizer, variables, gradients, [entry.flag_in_step() if entry else None for entry in tensors])
        if source.mode == "traced" and source.fresh is not None:
            source.fresh.trainable = {id(entry.variable) for entry in self.models.tensors if entry.flag_in_step()}

    # Other things that a script does

    def wrote(self, variable: Any) -> None:
        """A forward pass assigned to a variable while a step was under way."""
        entry = self.models.of(variable)
        if entry is None or self.applying or entry.row.owner.role == "normalisation":
            return
        if not entry.row.owner.rewrites_in_forward:
            self.observer.tell(ModuleSeen(tensors=(entry.row.id,), rewrites_in_forward=True))

    def summarised(self, model: Any, facts: dict[str, Any]) -> None:
        """A summary of ``model`` was printed with these numbers; its tensors are named once they are known."""
        number = next(self.observer.journal.summaries)
        printed = SummaryPrinted(step=self.observer.steps, summary=number, model=str(model.name), **facts)
        self.observer.tell(printed)
        self._summaries.append((printed, weakref.ref(model)))

    @contextlib.contextmanager
    def writing(self, owner: Any, variables: Callable[[], Iterable[Any]], event: str) -> Iterator[None]:
        """Everything inside writes into variables from outside a step: a load, or averages put in place."""
        self._writes[owner] = count = self._writes.get(owner, 0) + 1
        watched = due(count) and self.running is None
        if watched:
            self.quietly(
                f"before {event}", lambda: self.observer.look_now(self._keys(variables()), self.observer.place_now())
            )
        yield
        if watched:
            self.quietly(f"after {event}", lambda: self.observer.look_now(self._keys(variables()), "outside", event))
        if not self.observer.steps:
            self.quietly(f"after {event}", lambda: self.reaches.loaded(variables()))

    def _keys(self, variables: Iterable[Any]) -> list[Hashable]:
        return [entry.key for variable in variables if (entry := self.models.of(variable)) is not None]

    def misplaced(self, optimizer: Any, written: list[Any]) -> None:
        """Averages were written, by position, over these variables; tell those that got another's."""
        averaged = [variable for variable, _ in self.dialect.averages(optimizer)]
        for source, target in zip(averaged, written, strict=False):
            one, other = self.models.of(source), self.models.of(target)
            if source is not target and one is not None and other is not None and one is not other:
                step = self.observer.steps
                self.observer.tell(AverageMisplaced(step=step, average_of=one.row.name, written_to=other.row.name))

    def take(self, value: Any) -> None:
        """Observe a model or optimizer that was named explicitly; anything else is left alone."""
        if isinstance(value, self.dialect.model_type):
            self.quietly("a model was named", lambda: self.models.meet(value))
        elif isinstance(value, self.dialect.optimizer_type):
            known = getattr(value, "_trainable_variables", None) or ()
            self.quietly("an optimizer was named", lambda: self.models.meet_variables(known))

    # What the observer asks for

    def flags(self) -> list[bool | None]:
        """See Probe."""
        return self.models.flags()

    def refresh(self) -> None:
        """See Probe."""
        self.models.refresh()
        self._name_summaries()
        if self.running is not None:
            self.models.note_containers()

    def holds(self, optimizer: Hashable) -> dict[Hashable, Hold]:
        """See Probe."""
        return holds(self.optimizers.sources[optimizer], self.models, self.dialect)

    def rates(self, optimizer: Hashable) -> list[float | None]:
        """See Probe; the rate read at the last check, because reading it at every step would wait for the device."""
        return self._rates.get(optimizer, [])

    def update_ulp(self, optimizer: Hashable, entry: LiveTensor) -> float | None:
        """See Probe."""
        assert isinstance(entry, NamedVariable)
        return update_in_units(entry, self.optimizers.sources[optimizer].capture, self.dialect)

    def negligible(self, optimizer: Hashable, entry: LiveTensor) -> bool:
        """See Probe."""
        return False

    def digests(self, tensors: Iterable[LiveTensor]) -> dict[Hashable, Digest]:
        """See Probe; no kernel reads what jax or TensorFlow keep on an accelerator."""
        return {}

    def masked_gradients(self) -> dict[Hashable, MaskedGradient]:
        """See Probe; Keras hands gradients over without keeping them."""
        return {}

    def states(self, entry: LiveTensor) -> Iterable[tuple[str, bytes]]:
        """See Probe; the averages that Keras optimizers keep are matched by ``copies``."""
        return ()

    def copies(self, entry: LiveTensor, content: bytes) -> str | None:
        """See Probe."""
        assert isinstance(entry, NamedVariable)
        return named_copy(entry, content, self.optimizers.sources.values(), self.models, self.dialect)

    def kin(self, entry: LiveTensor) -> Iterable[LiveTensor]:
        """See Probe."""
        assert isinstance(entry, NamedVariable)
        return alike(entry, self.models)

    def watch_forwards(self, wanted: bool) -> None:
        """See Probe; forward passes of Keras layers run inside traced steps and cannot be bracketed."""

    def finish_rows(self) -> None:
        """See Probe."""
        self._name_summaries()
        for source in self.optimizers.sources.values():
            count_steps(source, self.observer.optimizers[source.key], self.models, self.dialect)
        self.reaches.settle(self.models)
        for entry in self.models.tensors:
            untrained = entry.row.declared.first is False or not entry.row.registered
            if untrained and entry.row.changed.verdict == "no":
                self.observer.tell(ModuleSeen(tensors=(entry.row.id,), default_initialised=looks_initial(entry)))
            if entry.row.declared.trainable and entry.row.changed.verdict == "no":
                beside = sibling_moved(entry, self.models)
                self.observer.tell(ModuleSeen(tensors=(entry.row.id,), sibling_called=beside))
                self.observer.tell(TensorSeen(tensor=entry.row.id, zeros=is_zeros(entry)))
            for holding in entry.row.optimizers:
                source = self.optimizers.sources[holding.optimizer]
                rate = self.observer.holdings.max_lr(holding.optimizer, holding.group)
                steps = self.observer.optimizers[holding.optimizer].steps_executed
                held = functools.partial(Held, optimizer=holding.optimizer, tensors=(entry.row.id,))
                self.observer.tell(held(max_lr=rate, steps=steps))
                if not steps:
                    note_waiting(entry, source, self.models)
                if is_unassigned(entry, holding, source, self.models, self.dialect):
                    self.observer.tell(held(unassigned=True))
                else:
                    settle_gradients(entry, holding, source, self.models, self.dialect)

    def _name_summaries(self) -> None:
        for index, (printed, reference) in enumerate(self._summaries):
            model = reference()
            if model is not None:
                names = tuple(entry.row.name for entry in self.models.tensors_of(model))
                named = structs.replace(printed, tensors=names, model=self.models.name_of(model))
                if named != printed:
                    self.observer.tell(named)
                    self._summaries[index] = named, reference

    def gradient_of(self, variable: Any) -> tuple[Gradient, bytes | None]:
        """What is known of a variable's gradient at this moment."""
        return gradient_of(variable, self.running.capture if self.running is not None else None, self.dialect)

    # The end

    def close(self) -> None:
        """The last check; afterwards nothing is wrapped and nothing is kept alive."""
        pending = self.loose.key if self.loose is not None else None
        self.end_loose_step()
        self.models.enter(None)
        self.quietly("looking for gradients nobody applied", self.asked.settle)
        if not self.models.tensors:
            self.quietly("looking for models", self._look_for_unseen)
        for remove in reversed(self.removers):
            remove()
        self.quietly("looking for stray flags", lambda: self._tell_all(stray_flags(self.models, self.dialect)))
        self.quietly("looking for what goes on", lambda: self._tell_all(continued(self.models)))
        self.quietly("comparing what was saved", self.saves.settle)
        self.quietly("the last check", lambda: self.observer.close(pending))
        self.quietly("looking for layers recreated", lambda: self._tell_all(self.models.remade()))
        self.closed = True
        self.models.let_go()
        self.optimizers.let_go()

    def _look_for_unseen(self) -> None:
        for _, reference in self._summaries:
            model = reference()
            if model is not None:
                self.models.meet(model)
        self.models.meet_all()

    def _tell_all(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self.observer.tell(fact)
