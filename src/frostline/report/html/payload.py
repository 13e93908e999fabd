"""What the page's script and its table know of every tensor: plain words for the eye, few keys for the script."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from frostline.core.ledger import Movement, TensorRow
from frostline.core.record import Record
from frostline.report.form import finite, visible
from frostline.report.tables import cells

# State, mark that stands for it where colour does not, and what it means.
STATES: tuple[tuple[str, str, str], ...] = (
    ("contradicted", "!", "an error or a warning names it"),
    ("changed", "Δ", "its bits moved"),
    ("frozen", "=", "declared frozen, and did not change"),
    ("still", "·", "did not change, though nothing says frozen"),
    ("unknown", "?", "could not be established"),
)
FIRST_ROWS = 200  # of the table that are laid out before anyone scrolls; without a script all are
_TICKS = 400  # checks of one optimizer that a timeline shows


Codes = Mapping[str, Sequence[tuple[str, str]]]  # by tensor: anchor and severity of each finding


@dataclass(frozen=True, slots=True)
class TableRow:
    """One tensor in the table; the words are those of the text report."""

    index: int
    name: str
    state: str
    size: int
    shape: str
    dtype: str
    declared: str
    optimizers: str
    changed: str
    saved: str
    codes: tuple[tuple[str, str], ...]


def rows(record: Record, codes: Codes) -> Iterator[TableRow]:
    """The table, in the order of the ledger; ``codes`` are the findings that name each tensor."""
    for index, row in enumerate(record.tensors):
        said = {name: "".join(span.text for span in cell) for name, cell in cells([row]).items()}
        changed = {"all": "yes", "none": "no"}.get(said["changed"], said["changed"])
        first = row.changed.first_step
        yield TableRow(
            index,
            visible(row.name),
            state(row, loud=any(severity != "note" for _, severity in codes.get(row.name, ()))),
            row.size,
            "×".join(map(str, row.shape)) or "one value",
            visible(row.dtype),
            said["declared"] if row.kind == "parameter" else "buffer",
            said["optimizer"],
            f"{changed}, first at step {first:,}" if changed == "yes" and first is not None else changed,
            said["saved"],
            tuple(codes.get(row.name, ())),
        )


def state(row: TensorRow, loud: bool) -> str:
    """The one state by which a tensor is coloured; ``loud`` says that an error or a warning names it."""
    if loud:
        return "contradicted"
    if row.changed.verdict == "unknown":
        return "unknown"
    if row.changed.verdict == "yes":
        return "changed"
    frozen = row.declared.trainable is False or row.owner.frozen_subtree is not None
    return "frozen" if frozen else "still"


def document(record: Record, codes: Codes) -> str:
    """The JSON that the script reads, safe inside a script element; ``codes`` as for the table."""
    document = {
        "steps": record.run.steps,
        "optimizers": {optimizer.id: _thinned(optimizer.checked_at) for optimizer in record.optimizers},
        "tensors": [_tensor(row, [anchor for anchor, _ in codes.get(row.name, ())]) for row in record.tensors],
    }
    # Inside a script element only "<" can end it or begin a comment.
    return json.dumps(finite(document), separators=(",", ":"), ensure_ascii=True).replace("<", "\\u003c")


def _thinned(steps: list[int]) -> list[int]:
    """At most ``_TICKS`` of them, evenly apart, the last one among them."""
    stride = -(-len(steps) // _TICKS) or 1
    return steps[::-1][::stride][::-1]


def _tensor(row: TensorRow, anchors: list[str]) -> dict[str, Any]:
    declared, changed = row.declared, row.changed
    facts: dict[str, Any] = {
        "p": row.name.split(".", 40),
        "first": declared.first,
        "flips": [[flip.step, flip.now] for flip in declared.flips],
        "moves": [_move(move) for move in changed.movements],
        "until": changed.checked_until,
        "checks": changed.checks,
        "also": row.aliases,
        "owner": row.owner.type,
        "kind": row.kind,
        "expected": row.expected,
        "holdings": [
            {
                "optimizer": holding.optimizer,
                "lr": holding.lr,
                "decay": holding.weight_decay,
                "gradients": holding.gradients,
            }
            for holding in row.optimizers
            if holding.listed
        ],
        "unknown": row.unknown or ({"changed": changed.reason} if changed.reason else {}),
        "see": anchors,
    }
    return {key: value for key, value in facts.items() if value not in (None, [], {}, "", 0)}


def _move(move: Movement) -> dict[str, Any]:
    facts = {
        "from": move.since,
        "to": move.until,
        "place": move.place,
        "optimizer": move.optimizer,
        "gradient": move.gradient,
        "moved": move.shift.moved if move.shift else None,
        "of": move.shift.elements if move.shift else None,
        "by": move.event,
    }
    return {key: value for key, value in facts.items() if value is not None}
