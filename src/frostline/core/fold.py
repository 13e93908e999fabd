"""The fold: facts become the rows of the ledger. The only code that writes to a row.

While a run is observed each fact is applied as it is told, so that instruments can read what is known so far; a stored
run is folded from its facts again. Both give the same ledger.
"""

from __future__ import annotations

import functools
import operator
from collections import OrderedDict
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import fields
from typing import Any, get_args

from msgspec import UNSET

from frostline.core import facts as told
from frostline.core.events import Event, SummaryPrinted, TensorReplaced, TieBroken
from frostline.core.events.fact import Fact
from frostline.core.ledger import Changed, Expected, Flip, Holding, Ledger, Movement, OptimizerRow, Owner, TensorRow
from frostline.core.names.patterns import matching, rows_of

MOVEMENTS_KEPT = 8
FLIPS_KEPT = 8
MOVES_REMEMBERED = 4096  # that a later fact may explain


def fold(facts: Iterable[Fact]) -> Ledger:
    """The ledger that these facts add up to.

    Args:
        facts: of one run, in the order in which they were told.

    Example:
        >>> shape = {"shape": (2,), "dtype": "float32", "bytes": 8, "size": 2}
        >>> found = told.TensorFound(tensor=0, framework="torch", name="w", model="net", kind="parameter", **shape)
        >>> ledger = fold([found, told.FlagDeclared(tensor=0, flag=True)])
        >>> [(row.name, row.declared.trainable) for row in ledger.tensors]
        [('w', True)]
    """
    state = Fold()
    for fact in facts:
        state.apply(fact)
    return state.ledger()


class Fold:
    """The rows as they are after the facts applied so far."""

    def __init__(self) -> None:
        self.rows: dict[int, TensorRow] = {}
        self.optimizers: dict[str, OptimizerRow] = {}
        self._ledger = Ledger()
        self._frameworks: dict[str, None] = {}  # in the order in which they were found
        self.framework_of: dict[int, str] = {}
        self._dropped: set[int] = set()
        self._readable: set[int] = set()  # tensors that have a baseline, and were not lost since
        self.moves: OrderedDict[int, Movement] = OrderedDict()
        self._swaps: dict[int, Changed] = {}
        self._comparisons: dict[int, int] = {}  # by track: where in the row's list

    def apply(self, fact: Fact) -> None:
        """Let one fact have its effect."""
        kind = type(fact)
        if kind in _UPDATES:
            _update(_UPDATES[kind](self, fact), fact)
        elif kind in _HANDLERS:
            _HANDLERS[kind](self, fact)
        if kind in _EVENTS:
            self._ledger.events.append(fact)  # type: ignore[arg-type]

    def count_step(self, optimizer: str, last_step: int) -> None:
        """One more executed step, told as a fact only when the next check comes: a step must cost next to nothing."""
        row = self.optimizers[optimizer]
        row.steps_executed += 1
        row.last_step = last_step

    def ledger(self) -> Ledger:
        """All rows that are of interest, each storage once, with what follows from all facts together."""
        self.settle()
        ledger = self._ledger
        ledger.tensors = list(self._visible())
        ledger.optimizers = list(self.optimizers.values())
        self._mark_expected(ledger)
        return ledger

    def settle(self) -> None:
        """Tensors that can be read, were never seen to move and are not doubted are, so far, unchanged."""
        for tensor in self._readable:
            row = self.rows[tensor]
            if row.changed.verdict == "unknown" and "changed" not in row.unknown:
                row.changed.verdict = "no"

    def _visible(self) -> Iterable[TensorRow]:
        for framework in self._frameworks:
            names: set[str] = set()
            for tensor, row in self.rows.items():
                if self.framework_of[tensor] == framework and row.name not in names and tensor not in self._dropped:
                    names.update((row.name, *row.aliases))
                    yield row

    @staticmethod
    def _mark_expected(ledger: Ledger) -> None:
        names = [[row.name, *row.aliases, *row.former_aliases] for row in ledger.tensors]
        for answer, patterns in (("frozen", ledger.expected.frozen), ("trained", ledger.expected.trained)):
            for pattern in patterns:
                if rows_of(pattern)[1] is not None:
                    continue  # says nothing of the tensor as a whole
                rows = [ledger.tensors[index] for index in matching(pattern, names)]
                weights = [row for row in rows if row.kind == "parameter" or row.owner.role == "normalisation"]
                # What should train are the weights that a pattern names; buffers, where it names nothing else.
                for row in rows if answer == "frozen" or not weights else weights:
                    row.expected, row.expected_pattern = answer, pattern

    # What the facts do that do more than set fields, each in the method of its name

    def _tensor_found(self, fact: told.TensorFound) -> None:
        seen = dict(zip(_OF_A_TENSOR, _seen_of(fact), strict=True))
        self.rows[fact.tensor] = TensorRow(id=fact.tensor, owner=Owner(fact.owner, fact.owner_type, fact.role), **seen)
        self.framework_of[fact.tensor] = fact.framework
        self._frameworks.setdefault(fact.framework)

    def _tensors_dropped(self, fact: told.TensorsDropped) -> None:
        self._dropped.update(fact.tensors)

    def _tensor_replaced(self, fact: TensorReplaced) -> None:
        self.rows[fact.tensor].replaced = fact.by

    def _tie_broken(self, fact: TieBroken) -> None:
        row = self.rows[fact.tensor]
        row.former_aliases = sorted({*row.former_aliases, *fact.lost})

    def _flag_declared(self, fact: told.FlagDeclared) -> None:
        declared = self.rows[fact.tensor].declared
        declared.trainable = fact.flag
        # That it was off before may have decided what an optimizer was given, and stays known as the flag at first.
        declared.first = fact.flag and declared.first if fact.again else fact.flag

    def _flag_flipped(self, fact: told.FlagFlipped) -> None:
        declared = self.rows[fact.tensor].declared
        declared.trainable = fact.flag
        declared.flip_count += 1
        if len(declared.flips) < FLIPS_KEPT:
            declared.flips.append(Flip(fact.step, bool(fact.flag), fact.optimizer))

    def _flag_held(self, fact: told.FlagHeld) -> None:
        for tensor in fact.tensors:
            declared = self.rows[tensor].declared
            if fact.flag:
                declared.trainable_steps += fact.steps
            else:
                declared.frozen_steps += fact.steps

    def _buffer_frozen(self, fact: told.BufferFrozen) -> None:
        row = self.rows[fact.tensor]
        row.owner.frozen_subtree = fact.subtree
        row.declared.flip_count += fact.flipped

    def _flag_requested(self, fact: told.FlagRequested) -> None:
        self.rows[fact.tensor].declared.intents.append((fact.name, fact.flag))

    def _alias_flagged(self, fact: told.AliasFlagged) -> None:
        self.rows[fact.tensor].declared.alias_flags.append((fact.alias, fact.flag))

    def _optimizer_found(self, fact: told.OptimizerFound) -> None:
        self.optimizers[fact.optimizer] = OptimizerRow(fact.optimizer, fact.kind, fact.name, by_hand=fact.by_hand)  # type: ignore[arg-type]

    def _optimizer_checked(self, fact: told.OptimizerChecked) -> None:
        row = self.optimizers[fact.optimizer]
        row.checks.append(fact.executed)
        row.checked_at.append(fact.step)
        row.rates.append(fact.lr)

    def _optimizer_dropped(self, fact: told.OptimizerDropped) -> None:
        del self.optimizers[fact.optimizer]

    def _held_by_alias(self, fact: told.HeldByAlias) -> None:
        row = self.rows[fact.tensor]
        known = {holding.optimizer for holding in row.optimizers}
        row.optimizers.extend(holding for holding in self.rows[fact.other].optimizers if holding.optimizer not in known)

    def _gradients_seen(self, fact: told.GradientsSeen) -> None:
        for tensor in fact.tensors:
            row = self.rows[tensor]
            if fact.optimizer is not None:
                seen = _holding(row, fact.optimizer).gradients
                seen[fact.gradient] = seen.get(fact.gradient, 0) + 1
            if fact.gradient != "unknown":
                row.reached_by_backward = row.reached_by_backward or fact.gradient == "nonzero"

    def _baseline_taken(self, fact: told.BaselineTaken) -> None:
        if fact.blocks is None:
            self._readable.discard(fact.tensor)
        else:
            self._readable.add(fact.tensor)
            self.rows[fact.tensor].changed.blocks = fact.blocks

    def _compared(self, fact: told.Compared) -> None:
        for tensor in fact.tensors:
            changed = self.rows[tensor].changed
            changed.checks += 1
            changed.checked_until = fact.step

    def _moved(self, fact: told.Moved) -> None:
        move = Movement(fact.place, fact.since, fact.until, id=fact.move)
        _update([move], fact)
        self.moves[fact.move] = move
        if len(self.moves) > MOVES_REMEMBERED:
            self.moves.popitem(last=False)
        changed = self.rows[fact.tensor].changed
        if fact.set_up:
            changed.before_training = True
        else:
            _note(changed, move)

    def _stood_still(self, fact: told.StoodStill) -> None:
        for tensor in fact.tensors:
            self.rows[tensor].changed.still = fact.still

    def _came_back(self, fact: told.CameBack) -> None:
        for tensor in fact.tensors:
            self.rows[tensor].changed.back_at = fact.step

    def _swap_began(self, fact: told.SwapBegan) -> None:
        self._swaps[fact.tensor] = deepcopy(self.rows[fact.tensor].changed)

    def _swap_undone(self, fact: told.SwapUndone) -> None:
        self.rows[fact.tensor].changed = self._swaps.pop(fact.tensor)

    def _followed(self, fact: told.Followed) -> None:
        changed = self.rows[fact.tensor].changed
        if fact.still:
            changed.near = fact.source
        else:
            changed.followed, changed.rate = fact.source, fact.rate

    def _digests_taken(self, fact: told.DigestsTaken) -> None:
        self.rows[fact.tensor].changed.digests = (fact.first, fact.last)

    def _unread(self, fact: told.Unread) -> None:
        self._readable.discard(fact.tensor)
        row = self.rows[fact.tensor]
        if row.changed.verdict != "yes":
            _doubt(row, "changed", fact.reason)

    def _doubted(self, fact: told.Doubted) -> None:
        for tensor in fact.tensors:
            _doubt(self.rows[tensor], fact.column, fact.reason)

    def _rows_compared(self, fact: told.RowsCompared) -> None:
        rows = self.rows[fact.tensor].rows
        place = self._comparisons.setdefault(fact.track, len(rows))
        rows[place : place + 1] = [fact.seen]

    def _summary_printed(self, fact: SummaryPrinted) -> None:
        """A summary that is told again is told better: it takes the place of the first."""
        events = self._ledger.events
        events[:] = [each for each in events if not (isinstance(each, SummaryPrinted) and each.summary == fact.summary)]

    def _framework_seen(self, fact: told.FrameworkSeen) -> None:
        self._frameworks.setdefault(fact.framework)
        self._ledger.run.frameworks[fact.framework] = fact.version

    def _expected(self, fact: told.Expected) -> None:
        self._ledger.expected = Expected(list(fact.frozen), list(fact.trained))
        self._ledger.patience = fact.patience


def _holding(row: TensorRow, optimizer: str) -> Holding:
    for holding in row.optimizers:
        if holding.optimizer == optimizer:
            return holding
    holding = Holding(optimizer)
    row.optimizers.append(holding)
    return holding


def _note(changed: Changed, move: Movement) -> None:
    """Of many moves the first few are kept; a later one that tells more takes the place of the last."""
    changed.verdict = "yes"
    changed.first_step = move.until if changed.first_step is None else changed.first_step
    changed.last_step = move.until
    changed.blocks_moved = max(changed.blocks_moved, move.blocks_moved)
    where = f"{move.optimizer} step" if move.place == "step" else move.place
    if where not in changed.during:
        changed.during.append(where)
    moves = changed.movements
    if len(moves) == MOVEMENTS_KEPT and move.trainable is False:
        # Of the moves made while trainable the first tells enough.
        last = next((index for index in range(MOVEMENTS_KEPT - 1, 0, -1) if moves[index].trainable), None)
        if last is not None:
            del moves[last]
    if len(moves) < MOVEMENTS_KEPT:
        moves.append(move)
    elif move.shift is not None:
        moves[-1] = move


def _doubt(row: TensorRow, column: str, reason: str | None) -> None:
    if reason is None:
        row.unknown.pop(column, None)
        return
    row.unknown[column] = reason
    if column == "changed":
        row.changed.verdict, row.changed.reason = "unknown", reason


def _update(rows: Iterable[object], fact: Fact) -> None:
    """Write every field that the fact says something of, in the rows."""
    said = [(field, value) for field in _fields(type(fact)) if (value := getattr(fact, field)) is not UNSET]
    for row in rows:
        for field, value in said:
            setattr(row, field, value)


@functools.cache
def _fields(kind: type[Fact]) -> tuple[str, ...]:
    """The fields of a fact that are those of a row."""
    return tuple(field for field in kind.__struct_fields__ if field not in _ABOUT or (kind, field) in _OF_THE_ROW)


_ABOUT = {"tensor", "tensors", "optimizer", "origin", "move", "set_up"}  # what a fact is about: no field of a row
_OF_THE_ROW = {(told.Moved, "optimizer")}  # a move keeps whose step made it
_OF_A_TENSOR = tuple({field.name for field in fields(TensorRow)} & {*told.TensorFound.__struct_fields__} - {"owner"})
_seen_of = operator.attrgetter(*_OF_A_TENSOR)
_EVENTS = frozenset(get_args(Event))


def _handler(kind: type[Fact]) -> Callable[[Fold, Any], None] | None:
    """The method that has the name of the fact: ``_tensor_found`` for TensorFound."""
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in kind.__name__)
    return getattr(Fold, snake, None)


_HANDLERS = {kind: handler for kind in get_args(told.AnyFact) if (handler := _handler(kind)) is not None}
_UPDATES: dict[type[Fact], Callable[[Fold, Any], Iterable[object]]] = {  # facts that set fields, and of which rows
    told.TensorSeen: lambda fold, fact: [fold.rows[fact.tensor]],
    told.SavedSettled: lambda fold, fact: [fold.rows[fact.tensor]],
    told.RunSeen: lambda fold, fact: [fold._ledger],
    told.ReplicaSampled: lambda fold, fact: [fold.rows[fact.tensor].changed],
    told.PutBack: lambda fold, fact: [fold.rows[tensor].changed for tensor in fact.tensors],
    told.CopyCompared: lambda fold, fact: [fold.rows[tensor].changed for tensor in fact.tensors],
    told.FlagSeen: lambda fold, fact: [fold.rows[tensor].declared for tensor in fact.tensors],
    told.ModuleSeen: lambda fold, fact: [fold.rows[tensor].owner for tensor in fact.tensors],
    told.OptimizerSeen: lambda fold, fact: [fold.optimizers[fact.optimizer]],
    told.Held: lambda fold, fact: [_holding(fold.rows[tensor], fact.optimizer) for tensor in fact.tensors],
    told.MoveExplained: lambda fold, fact: [fold.moves[fact.move]] if fact.move in fold.moves else [],
}
