"""What the page's script and its table know of every leaf: plain words for the eye, few keys for the script."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from frostline.core.ledger import LeafRow, Movement
from frostline.core.record import Record
from frostline.report.form import finite, visible
from frostline.report.tables import cells

# State, mark that stands for it where colour does not, and what it means.
STATES: tuple[tuple[str, str, str], ...] = (
    ("contradicted", "!", "an error or a warning names it"),
    ("changed", "Δ", "its bits moved"),
    ("frozen", "=", "declared frozen, and kept every bit"),
    ("still", "·", "kept every bit, though nothing says frozen"),
    ("unknown", "?", "could not be established"),
)
FIRST_ROWS = 200  # of the table that are laid out before anyone scrolls; without a script all are
_TICKS = 400  # checks of one program that a timeline shows


Codes = Mapping[str, Sequence[tuple[str, str]]]  # by leaf: anchor and severity of each finding


@dataclass(frozen=True, slots=True)
class TableRow:
    """One leaf in the table; the words are those of the text report."""

    index: int
    name: str
    state: str
    numbers: int
    shape: str
    dtype: str
    declared: str
    wired: str
    changed: str
    saved: str
    codes: tuple[tuple[str, str], ...]


def rows(record: Record, codes: Codes) -> Iterator[TableRow]:
    """The table, in the order of the ledger; ``codes`` are the findings that name each leaf."""
    for index, leaf in enumerate(record.leaves):
        said = {name: "".join(span.text for span in cell) for name, cell in cells([leaf]).items()}
        changed = {"all": "yes", "none": "no"}.get(said["changed"], said["changed"])
        first = leaf.changed.first_step
        yield TableRow(
            index,
            visible(leaf.name),
            state(leaf, loud=any(severity != "note" for _, severity in codes.get(leaf.name, ()))),
            leaf.numbers,
            "×".join(map(str, leaf.shape)) or "one number",
            visible(leaf.dtype),
            said["declared"] if leaf.kind == "parameter" else "buffer",
            said["wired"],
            f"{changed}, first at step {first:,}" if changed == "yes" and first is not None else changed,
            said["saved"],
            tuple(codes.get(leaf.name, ())),
        )


def state(leaf: LeafRow, loud: bool) -> str:
    """The one state by which a leaf is coloured; ``loud`` says that an error or a warning names it."""
    if loud:
        return "contradicted"
    if leaf.changed.verdict == "unknown":
        return "unknown"
    if leaf.changed.verdict == "yes":
        return "changed"
    frozen = leaf.declared.trainable is False or leaf.owner.frozen_subtree is not None
    return "frozen" if frozen else "still"


def document(record: Record, codes: Codes) -> str:
    """The JSON that the script reads, safe inside a script element; ``codes`` as for the table."""
    document = {
        "steps": record.run.steps,
        "programs": {program.id: _thinned(program.checked_at) for program in record.programs},
        "leaves": [_leaf(leaf, [anchor for anchor, _ in codes.get(leaf.name, ())]) for leaf in record.leaves],
    }
    # Inside a script element only "<" can end it or begin a comment.
    return json.dumps(finite(document), separators=(",", ":"), ensure_ascii=True).replace("<", "\\u003c")


def _thinned(steps: list[int]) -> list[int]:
    """At most ``_TICKS`` of them, evenly apart, the last one among them."""
    stride = -(-len(steps) // _TICKS) or 1
    return steps[::-1][::stride][::-1]


def _leaf(leaf: LeafRow, anchors: list[str]) -> dict[str, Any]:
    declared, changed = leaf.declared, leaf.changed
    facts: dict[str, Any] = {
        "p": leaf.name.split(".", 40),
        "first": declared.first,
        "flips": [[flip.step, flip.now] for flip in declared.flips],
        "moves": [_move(move) for move in changed.movements],
        "until": changed.checked_until,
        "checks": changed.checks,
        "also": leaf.aliases,
        "owner": leaf.owner.type,
        "kind": leaf.kind,
        "meant": leaf.meant,
        "wires": [
            {"program": wire.program, "lr": wire.lr, "decay": wire.weight_decay, "gradients": wire.gradients}
            for wire in leaf.wired
            if wire.listed
        ],
        "unknown": leaf.unknown or ({"changed": changed.reason} if changed.reason else {}),
        "see": anchors,
    }
    return {key: value for key, value in facts.items() if value not in (None, [], {}, "", 0)}


def _move(move: Movement) -> dict[str, Any]:
    facts = {
        "from": move.since,
        "to": move.until,
        "place": move.place,
        "program": move.program,
        "gradient": move.gradient,
        "moved": move.shift.moved if move.shift else None,
        "of": move.shift.elements if move.shift else None,
        "by": move.event,
    }
    return {key: value for key, value in facts.items() if value is not None}
