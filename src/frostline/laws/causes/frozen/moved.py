"""What a cause of the frozen family looks at: a move of a tensor that was declared frozen, and those that moved so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from frostline.core.amounts import tensors
from frostline.core.averages import by_gradient, follows
from frostline.core.ledger import Holding, Movement, TensorRow
from frostline.laws.causes.cause import Cause, Evidence, Proven
from frostline.laws.observed_run import ObservedRun

TOGGLING = 2


@dataclass(frozen=True, slots=True)
class Moved:
    """A move of a tensor that was declared frozen. ``where`` is what a cause said of it: an optimizer, or a place."""

    row: TensorRow
    move: Movement
    run: ObservedRun
    where: str = ""

    @property
    def in_step(self) -> bool:
        """Whether a step of an optimizer made the move."""
        return self.move.place == "step"

    @property
    def optimizer(self) -> str:
        """The optimizer in whose step it moved, or an empty string."""
        return self.move.optimizer or ""

    @property
    def holding(self) -> Holding | None:
        """How that optimizer holds the tensor."""
        return next((holding for holding in self.row.optimizers if holding.optimizer == self.optimizer), None)

    @property
    def is_statistic(self) -> bool:
        """Whether the tensor is a buffer of a normalisation."""
        return self.row.kind == "buffer" and self.row.owner.role == "normalisation"

    @property
    def is_by_hand(self) -> bool:
        """Whether the script steps by hand: it computes the new values itself, and may still hold them."""
        return any(optimizer.by_hand for optimizer in self.run.optimizers)


@dataclass(frozen=True, slots=True)
class MovedTogether:
    """Tensors of a model that moved while frozen, for one cause and at one place."""

    where: str
    each: Sequence[Moved]
    mitigated: Proven | None = None

    @property
    def rows(self) -> list[TensorRow]:
        """The tensors."""
        return [moved.row for moved in self.each]

    @property
    def first_step(self) -> int:
        """The executed step by which a move was first seen, be it one that told less than the one that is shown."""
        while_frozen = [move for row in self.rows for move in row.changed.movements if move.trainable is False]
        return min(move.until for move in [*while_frozen, *(moved.move for moved in self.each)])

    @property
    def what(self) -> str:
        """The beginning of most messages."""
        return f"{tensors(self.rows)} declared frozen moved"

    @property
    def seen(self) -> str:
        """When the first move was seen."""
        return f"first seen at step {self.first_step}"


def at_place(moved: MovedTogether) -> str:
    """That tensors moved, when it was first seen and where."""
    return f"{moved.what} ({moved.seen}, {moved.where})"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenCause(Cause):
    """A cause for which a tensor moves while it is declared frozen.

    ``explains`` says where a move was made if it is this one's, else None; the first cause in the family's order that
    explains it has it. ``otherwise`` says that of a move which neither itself nor others made with it could explain.
    ``says`` is the message, ``advice`` what to do where the remedy is too general, ``more`` further evidence.
    """

    explains: Callable[[Moved], str | None]
    otherwise: Callable[[Moved], str | None] | None = None
    says: Callable[[MovedTogether], str] = at_place
    advice: Callable[[MovedTogether], str | None] | None = None
    more: Callable[[Moved], Evidence] | None = None


def moves_while_frozen(row: TensorRow, averages: set[str]) -> list[Movement]:
    """The moves that need a cause: what follows other weights may move, but for what a step did with a gradient."""
    if never_declared(row):
        return []
    moves = moves_against_flags(row)
    if follows(row, averages):
        return by_gradient(move for move in moves if move.trainable is False)
    return moves


def moves_against_flags(row: TensorRow) -> list[Movement]:
    """The moves that were seen while a flag said frozen: the tensor's own, or one around it that a step passed over.

    A buffer is frozen with all weights of its module; whose module is switched on and off in turn is not.
    """
    if row.kind == "buffer" and row.declared.flip_count > TOGGLING:
        return []
    moves = [move for move in row.changed.movements if move.trainable is False]
    contradicted = row.declared.container_flag is False or any(not flag for _, flag in row.declared.alias_flags)
    if not moves and contradicted and row.declared.trainable:
        moves = [move for move in row.changed.movements if move.place == "step"]
    return moves


def never_declared(row: TensorRow) -> bool:
    """Whether the flag is only what every new tensor has: a master copy in no module, whose gradient is set by hand."""
    return not row.owner.type and row.declared.first is False and not row.declared.flips


def together(one: Movement, others: Iterable[Movement]) -> bool:
    """Whether another tensor moved in the same interval, at the same place as far as that is known."""
    return any(
        (one.place == other.place or "between" in (one.place, other.place))
        and other.since <= one.until
        and one.since <= other.until
        for other in others
    )
