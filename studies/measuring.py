"""One trial under frostline, with the bytes of all tensors compared beside it, so that the instrument is tried too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import frostline
from frostline.core.ledger import TensorRow
from frostline.core.record import Finding, Record
from frostline.settings import Settings
from studies.cells import Cell, first_line

Bytes = dict[str, tuple[tuple[int, ...], bytes]]
SHOWN = 160


@dataclass
class Trial:
    """What is trained, and what was to stay.

    Args:
        stages: yields once for each moment at which all that is to be frozen is frozen; trains before and after.
        read: the bytes of every tensor now, by a name that ends like the tensor's.
        held: whether a tensor, by its name, was to stay from that moment on.
        objects: models and optimizers to look at before the first stage.
        meant: patterns of tensors that the user would name as frozen.
        wanted: whether a tensor, by its name, is to be trained by some step, whatever its flag is at the end.
    """

    stages: Callable[[], Iterator[None]]
    read: Callable[[], Bytes]
    held: Callable[[str], bool]
    objects: tuple[Any, ...] = ()
    expected: tuple[str, ...] = ()
    wanted: Callable[[str], bool] = field(default=lambda name: False)
    of_subject: Callable[[str], bool] = field(default=lambda name: ".head." not in f".{name}")


def measure(cell: Cell, trial: Trial) -> Cell:
    """Run the trial under ``frostline.watch`` and fill the cell with what both the record and the bytes say."""
    first = before = trial.read()
    error: Exception | None = None
    mark = 0
    with frostline.watch(*trial.objects, settings=Settings(frozen=trial.expected)) as seen:
        try:
            for _ in trial.stages():
                before, mark = trial.read(), seen.report.record.run.steps
        except Exception as raised:
            error = raised
    record = seen.report.record
    if error is not None:
        cell.refused = first_line(error)
    told = _Told(record, trial, mark)
    told.fill(cell)
    after = _after(trial, cell)
    if after is not None and not cell.refused:
        cell.doubts += _against_bytes(told, first, before, after)
    cell.doubts += [f"frostline: {fault}"[:SHOWN] for fault in record.run.faults]
    cell.doubts += told.unexplained() if not cell.refused else []
    return cell


def _after(trial: Trial, cell: Cell) -> Bytes | None:
    try:
        return trial.read()
    except Exception as error:
        cell.refused += f"; afterwards the weights cannot be read ({first_line(error)[:60]})"
        return None


class _Told:
    """What the record of one trial tells, with every tensor's part in it."""

    def __init__(self, record: Record, trial: Trial, mark: int) -> None:
        self.record, self.trial, self.mark = record, trial, mark
        self.rows = [row for row in record.tensors if row.owner.role != "random-state"]
        self.broken = [row for row in self.rows if trial.held(row.name) and self._moved_since(row)]
        self.idle = [row for row in self.rows if self._is_idle(row)]

    def fill(self, cell: Cell) -> None:
        """Count numbers of the subject's tensors, and sort the findings."""
        own = [row for row in self.rows if self.trial.of_subject(row.name)]
        cell.size = parameters(own)
        cell.held = parameters(row for row in own if self.trial.held(row.name))
        cell.frozen = parameters(row for row in own if row.declared.trainable is False)
        cell.optimizers = parameters(row for row in own if any(holding.listed for holding in row.optimizers))
        cell.moved = parameters(row for row in own if row.changed.verdict == "yes")
        cell.broken, cell.idle = parameters(self.broken), parameters(self.idle)
        for finding in self.record.findings:
            named = finding.severity != "note" and self._names_contradiction(finding)
            told = cell.rules if named else cell.notes
            if finding.code not in told:
                told.append(finding.code)

    def unexplained(self) -> Iterator[str]:
        """Tensors in contradiction that no finding names, and errors about tensors that are in none."""
        findings = [finding for finding in self.record.findings if finding.rule != "flag-flipped-during-run"]
        named = {name for finding in findings for name in finding.tensors}
        for row in (*self.broken, *self.idle):
            if row.name not in named:
                how = "was to stay and moved" if row in self.broken else "is trainable and did not move"
                yield f"{row.name} {how}, and no rule fired"[:SHOWN]
        for finding in self.record.findings:
            if finding.severity == "error" and not self._names_contradiction(finding):
                yield f"{finding.code}: {finding.message}"[:SHOWN]
        for row in self.record.tensors:
            if row.changed.verdict == "unknown":
                yield f"{row.name}: unknown ({row.changed.reason})"[:SHOWN]

    def _moved_since(self, row: TensorRow) -> bool:
        """Whether it moved after the mark; of a tensor whose flag was turned off, what moved with the flag off."""
        turned_off = any(not flip.now for flip in row.declared.flips)
        return row.changed.verdict == "yes" and any(
            move.until > self.mark and (move.trainable is False or (move.since >= self.mark and not turned_off))
            for move in row.changed.movements
        )

    def _is_idle(self, row: TensorRow) -> bool:
        trained = row.kind == "parameter" and (row.declared.trainable or self.trial.wanted(row.name))
        return bool(trained) and not self.trial.held(row.name) and row.changed.verdict != "yes"

    def _names_contradiction(self, finding: Finding) -> bool:
        return not {row.name for row in (*self.broken, *self.idle)}.isdisjoint(finding.tensors)


def parameters(rows: Iterable[TensorRow]) -> int:
    """How many numbers the tensors hold."""
    return sum(row.size for row in rows)


def _against_bytes(told: _Told, first: Bytes, before: Bytes, after: Bytes) -> Iterator[str]:
    """Where record and bytes disagree: on the whole run, and on what was to stay since all was frozen.

    Tensors are compared as (shape, moved), since a framework names its tensors otherwise than frostline does.
    """
    for rows, earlier, moved, when in (
        (told.record.tensors, first, lambda row: row.changed.verdict == "yes", "in the whole run"),
        (
            [row for row in told.rows if told.trial.held(row.name)],
            before,
            lambda row: row in told.broken,
            "when frozen",
        ),
    ):
        names = first if rows is told.record.tensors else [name for name in earlier if told.trial.held(name)]
        seen = Counter((row.shape, moved(row)) for row in rows)
        true = Counter((earlier[name][0], earlier[name] != after[name]) for name in names)
        if seen != true:
            yield f"{when} frostline saw {_shapes(seen - true)}, the bytes say {_shapes(true - seen)}"


def _shapes(counts: Counter[tuple[tuple[int, ...], bool]]) -> str:
    told = (f"{'moved' if moved else 'still'} {list(shape)}×{count}" for (shape, moved), count in counts.items())
    return ", ".join(told) or "nothing more"
