"""Updates of optax and equinox as they are made and applied, inside compiled functions and outside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from frostline.frameworks.jax.steps.calls import Calls
from frostline.frameworks.jax.steps.functions import Call, Function
from frostline.frameworks.jax.tensors.paths import Path, is_array, tensors_of
from frostline.frameworks.jax.traces.records import Applied, StateGiven, Update, variable_of
from frostline.observe.script_lines import script_line
from frostline.observe.variable_names import variable_names

FREEZING = "set_to_zero"
MADE_AT = "_made_at"  # the attribute of an update function that is observed: the line that made the optimizer
# Transformations that only pass on to others, and those that bring the learning rate in.
PASSING = frozenset(["chain", "named_chain", "partition", "multi_transform", "masked", "with_extra_args_support"])
SCALING = frozenset(["scale", "scale_by_learning_rate", "scale_by_schedule", "inject_hyperparams"])


@dataclass(slots=True)
class Updating:
    """One outermost call of an optimizer's ``update``: what it was given, and what transformations in it were given."""

    optimizer: str
    update: Any
    gradients: dict[Path, Any]
    zeroed: set[Path] = field(default_factory=set)
    scaled: set[Path] = field(default_factory=set)


class Updates:
    """Puts what an optimizer was given and what was applied together.

    Args:
        calls: under way; takes steps that are made outside compiled functions.
        learn: takes the first of those steps.
        skip: packages in whose functions no variable of the user is.
    """

    def __init__(self, calls: Calls, learn: Callable[[Function, Call, Any], None], skip: tuple[str, ...]) -> None:
        self._calls, self._learn, self._skip = calls, learn, skip
        self._depth = 0
        self._under_way: Updating | None = None
        self._last: Updating | None = None
        self._loops: dict[int, tuple[Any, Function]] = {}  # with what keeps the number from being used again

    def enter(self, factory: str, update: Any, gradients: Any, state: Any) -> None:
        """A transformation made by ``factory`` begins to update."""
        self._depth += 1
        if self._depth == 1:
            self._under_way = Updating(factory, update, tensors_of(gradients))
            self.given_state(state)
        if self._under_way is None:
            return
        if self._under_way.optimizer in PASSING:
            self._under_way.optimizer = factory
        if factory == FREEZING:
            self._under_way.zeroed |= tensors_of(gradients).keys()
        elif factory in SCALING:
            self._under_way.scaled |= tensors_of(gradients).keys()

    def given_state(self, state: Any) -> None:
        """An optimizer was handed its state."""
        self._calls.note(StateGiven([variable_of(entry) for entry in tensors_of(state).values()]))

    def leave(self) -> None:
        """It has updated."""
        self._depth -= 1
        if self._depth == 0:
            self._last, self._under_way = self._under_way, None

    def applied(self, params: Any, updates: Any, result: Any) -> None:
        """Updates were added to weights."""
        last, self._last = self._last, None
        added, summed = tensors_of(updates), tensors_of(result)
        gradients = last.gradients if last is not None else {}
        made = [
            Update(path, value, added[path], summed.get(path), gradients.get(path))
            for path, value in tensors_of(params).items()
            if path in added
        ]
        record = Applied("", made)
        if last is not None:
            record.optimizer, record.zeroed = last.optimizer.removeprefix("scale_by_"), last.zeroed
            record.made = getattr(last.update, MADE_AT, None)
            record.masked = last.gradients.keys() - last.scaled - last.zeroed if last.scaled else set()
        if self._calls.current is not None:
            for update in made:
                update.value, update.update = variable_of(update.value), variable_of(update.update)
                update.result, update.gradient = variable_of(update.result), variable_of(update.gradient)
            record.line = script_line()
            self._calls.note(record)
        elif made and all(is_array(update.value) and is_array(update.result) for update in made):
            self._step(last, record, params)

    # Outside compiled functions

    def _step(self, last: Updating | None, record: Applied, params: Any) -> None:
        """Updates that were applied outside every compiled function are a step, which is over already."""
        function, root = self._loop(last, record, params)
        arrays = {(*root, *update.path): update.value for update in record.updates}
        results = {(*root, *update.path): update.result for update in record.updates}
        call = Call(lambda: arrays, lambda _: results, compiled=False)
        if function.row is None:
            record.line = script_line()
            function.records.append(record)
            self._learn(function, call, None)
            function.records.clear()
        else:
            self._calls.begin(function, call)
        self._calls.made(function, call.handed_back, None)

    def _loop(self, last: Updating | None, record: Applied, params: Any) -> tuple[Function, Path]:
        key = last.update if last is not None else type(params)
        known = self._loops.get(id(key))
        if known is None:
            root = variable_names({id(params)}, skip=self._skip).get(id(params), "params")
            function = Function(record.optimizer or "optimizer", label=record.optimizer or "optax.apply_updates")
            function.names = root.split(".")
            known = self._loops[id(key)] = key, function
        return known[1], tuple(known[1].names)
