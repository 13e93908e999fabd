"""What the page knows of every tensor: the words of its table and the facts of its panel, each distinct one once."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from frostline.core.ledger import Movement, TensorRow
from frostline.core.record import Record
from frostline.report.changes import answers, copied_by, copies_in
from frostline.report.form import finite, visible
from frostline.report.tables import cells, reasons_of

# State, mark that stands for it where colour does not, and what it means.
STATES: tuple[tuple[str, str, str], ...] = (
    ("contradicted", "!", "an error or a warning names it"),
    ("changed", "Δ", "its bits moved"),
    ("frozen", "=", "declared frozen, and did not change"),
    ("still", "·", "did not change, though nothing says frozen"),
    ("unknown", "?", "could not be established"),
)
FIRST_ROWS = 200  # of the table that are there without a script
_TICKS = 400  # checks of one optimizer that a timeline shows


Codes = Mapping[str, Sequence[tuple[str, str]]]  # by tensor: anchor and severity of each finding
Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True)
class Words:
    """What the table says of one tensor beside its name; the words are those of the text report."""

    state: str
    size: int
    type: str
    declared: str
    optimizers: str
    changed: str
    saved: str
    codes: tuple[tuple[str, str], ...]


class _Distinct(Generic[Kept]):
    """Values that are made once for keys that are alike, each known by its number."""

    def __init__(self) -> None:
        self.values: list[Kept] = []
        self._numbers: dict[Hashable, int] = {}

    def number(self, key: Hashable, make: Callable[[], Kept]) -> int:
        if (number := self._numbers.get(key)) is None:
            number = self._numbers[key] = len(self.values)
            self.values.append(make())
        return number


def rows(record: Record, codes: Codes) -> Iterator[tuple[str, Words]]:
    """The first rows of the table, in the order of the ledger; ``codes`` are the findings that name each tensor."""
    copies = copies_in(record.tensors)
    for row in record.tensors[:FIRST_ROWS]:
        yield visible(row.name), words(row, tuple(codes.get(row.name, ())), copied_by(row, copies))


def words(row: TensorRow, codes: tuple[tuple[str, str], ...], copied: str) -> Words:
    """What the table says of a tensor that the findings ``codes`` name; ``copied`` says what it is a copy of."""
    said = {name: "".join(span.text for span in cell) for name, cell in cells([row]).items()}
    changed = {"all": f"yes, {visible(copied)}" if copied else "yes", "none": "no"}.get(
        said["changed"], said["changed"]
    )
    return Words(
        state(row, loud=any(severity != "note" for _, severity in codes)),
        row.size,
        f"{'×'.join(map(str, row.shape)) or 'one value'} {visible(row.dtype)}",
        said["declared"] if row.kind == "parameter" else "buffer",
        said["optimizer"],
        changed,
        said["saved"],
        codes,
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
    """The JSON that the script reads, safe inside a script element; ``codes`` as for the table.

    Tensors stand in columns: of a name what differs from the one before it, of all else the numbers of its words, its
    facts and its holdings, which most tensors of a large model share.
    """
    said, facts, held = _Distinct[Words](), _Distinct[dict[str, Any]](), _Distinct[list[list[Any]]]()
    columns: dict[str, list[Any]] = {"shared": [], "rest": [], "words": [], "facts": [], "held": []}
    before: list[str] = []
    copies = copies_in(record.tensors)
    for row in record.tensors:
        own, copied = tuple(codes.get(row.name, ())), copied_by(row, copies)
        parts = visible(row.name).split(".")
        shared = _shared(before, parts)
        columns["shared"].append(shared)
        columns["rest"].append(".".join(parts[shared:]))
        columns["words"].append(said.number((*_worded(row), own, copied), partial(words, row, own, copied)))
        columns["facts"].append(facts.number(_known(row), partial(_facts, row)))
        columns["held"].append(held.number(_holders(row), partial(_holdings, row)))
        before = parts
    document = {
        "steps": record.run.steps,
        "optimizers": {visible(optimizer.id): _thinned(optimizer.checked_at) for optimizer in record.optimizers},
        "words": list(map(astuple, said.values)),
        "facts": facts.values,
        "held": finite(held.values),
        "tensors": columns,
    }
    # Inside a script element only "<" can end it or begin a comment.
    return json.dumps(document, separators=(",", ":"), ensure_ascii=True).replace("<", "\\u003c")


def _shared(before: Sequence[str], parts: Sequence[str]) -> int:
    """How many parts two names have in common at their beginning; never all of the second."""
    count = 0
    for one, other in zip(before, parts[:-1], strict=False):
        if one != other:
            break
        count += 1
    return count


def _thinned(steps: list[int]) -> list[int]:
    """At most ``_TICKS`` of them, evenly apart, the last one among them."""
    stride = -(-len(steps) // _TICKS) or 1
    return steps[::-1][::stride][::-1]


def _worded(row: TensorRow) -> tuple[Hashable, ...]:
    """All that the words of a tensor are made of, but for the findings that name it."""
    return answers(row), row.size, row.shape, row.dtype, row.owner.frozen_subtree is None


def _known(row: TensorRow) -> Hashable:
    """All that the facts of a tensor are made of."""
    declared, changed = row.declared, row.changed
    return (
        row.kind,
        row.owner.type,
        row.expected,
        declared.first,
        tuple([(flip.step, flip.now) for flip in declared.flips]),
        tuple([tuple(_move(move)) for move in changed.movements]),
        changed.first_step,
        changed.checked_until,
        changed.checks,
        tuple(row.aliases),
        tuple(reasons_of(row).items()),
    )


def _facts(row: TensorRow) -> dict[str, Any]:
    declared, changed = row.declared, row.changed
    facts: dict[str, Any] = {
        "first": declared.first,
        "flips": [[flip.step, flip.now] for flip in declared.flips],
        "since": changed.first_step,
        "moves": list(map(_move, changed.movements)),
        "until": changed.checked_until,
        "checks": changed.checks,
        "also": list(map(visible, row.aliases)),
        "owner": visible(row.owner.type),
        "kind": row.kind,
        "expected": row.expected,
        "unknown": {column: visible(reason) for column, reason in reasons_of(row).items()},
    }
    return {key: value for key, value in facts.items() if value is False or value not in (None, [], {}, "", 0)}


def _move(move: Movement) -> list[Any]:
    """From which step to which, where, by which optimizer, its gradient, how many elements of how many, by what."""
    shift = (move.shift.moved, move.shift.elements) if move.shift else (None, None)
    optimizer, event = move.optimizer and visible(move.optimizer), move.event and visible(move.event)
    facts = [move.since, move.until, move.place, optimizer, move.gradient, *shift, event]
    while facts[-1] is None:
        facts.pop()
    return facts


def _holders(row: TensorRow) -> Hashable:
    """All that the holdings of a tensor are made of."""
    return tuple(
        [
            (each.optimizer, each.lr, each.weight_decay, *each.gradients.items())
            for each in row.optimizers
            if each.listed
        ]
    )


def _holdings(row: TensorRow) -> list[list[Any]]:
    """Of each optimizer that holds the tensor: its name, the rate, the decay, and the gradients seen at its checks."""
    return [
        [visible(each.optimizer), each.lr, each.weight_decay, each.gradients] for each in row.optimizers if each.listed
    ]
