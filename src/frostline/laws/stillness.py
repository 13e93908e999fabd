"""L1: what is declared or expected frozen keeps its bits."""

from __future__ import annotations

from collections.abc import Iterator

from frostline.core import facts
from frostline.core.amounts import tensors
from frostline.core.averages import copied_whole, copies_alone_written, follows
from frostline.core.ledger import TensorRow
from frostline.laws.causes.frozen.module_state import is_state
from frostline.laws.causes.frozen.moved import moves_against_flags, never_declared
from frostline.laws.law import Excuse, Law, Proof, Violation, by_row
from frostline.laws.observed_run import ObservedRun


def violations(run: ObservedRun) -> Iterator[Violation]:
    """Tensors with other bits than before, which moved while their flag was off or were expected to stay."""
    rows = tuple(row for row in run.tensors if moved_while_frozen(row))
    if rows:
        first = min(move.until for row in rows for move in row.changed.movements)
        fact = f"{tensors(rows)} declared or expected frozen moved (first seen at step {first})"
        yield Violation(rows, fact, {"tensor": rows[0].name, "first_step": first})


def moved_while_frozen(row: TensorRow) -> bool:
    """Whether a change was seen while the tensor was frozen: by its flag, one around it, or the user's word."""
    if row.changed.verdict != "yes":
        return False
    return bool(moves_against_flags(row)) or (row.expected == "frozen" and bool(row.changed.movements))


def _following(run: ObservedRun) -> Proof:
    parts, copied_from = run.copied_wholes, {copy: name for name, copy in copies_alone_written(run.tensors).items()}
    first: dict[str, TensorRow] = {}  # of each part, the first tensor that was seen to follow
    for row in run.tensors:
        if row.changed.followed:
            first.setdefault(copied_whole(row.name, row.changed.followed), row)

    def proof(row: TensorRow) -> str | None:
        if row.expected == "frozen" or not follows(row, parts):
            return None
        if row.changed.followed and copied_whole(row.name, row.changed.followed) in parts:
            return f"follows {row.changed.followed}"
        if row.name in copied_from:
            return f"has the bits of {copied_from[row.name]}, and of the two the script was seen to write only this one"
        mates = (
            (mate.name, mate.changed.followed) for part, mate in first.items() if part in parts and follows(row, {part})
        )
        mate, source = next(mates, next(iter(copied_from.items()), ("", "")))
        return f"was copied together with {mate}, which follows {source}"

    return proof


@by_row
def _master_copy(row: TensorRow, run: ObservedRun) -> str | None:
    return "is in no module, and no flag of it was ever set" if never_declared(row) else None


@by_row
def _state(row: TensorRow, run: ObservedRun) -> str | None:
    return f"is state of {row.owner.type}, which rewrites it outside every step" if is_state(row, run) else None


LAW = Law(
    "L1",
    "stillness",
    "error",
    statement="A tensor that is declared or expected frozen has the same bits at both ends of that time.",
    matters="What you ship differs from what you froze.",
    remedy="run again with --check-every 1, so that the move is caught between two adjacent readings",
    needs=(facts.FlagDeclared, facts.FlagFlipped, facts.BaselineTaken, facts.Compared, facts.Moved),
    cannot_see="A tensor that moved and moved back between two checks, and what happens inside one compiled step.",
    beside=("L5", "L6"),
    excuses=(
        Excuse("follows", "An average, a target or a synchronised copy, which the script updates itself.", _following),
        Excuse(
            "master copy",
            "A tensor of no module, made without a flag: an optimizer's own copy.",
            _master_copy,
        ),
        Excuse(
            "state",
            "A module's own state that is kept as a parameter without gradients.",
            _state,
        ),
    ),
    violations=violations,
)
