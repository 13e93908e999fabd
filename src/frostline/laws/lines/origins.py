"""Which lines of the script a finding points at: those that did something to its tensors, optimizers and files.

A line is named where it was seen to do it, or as a bound where the checks around it tell one; else it is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from frostline.core.events import (
    Act,
    Event,
    FlagMisspelt,
    FlagsLost,
    LabelUnmatched,
    LineSeen,
    ResultDropped,
    StateReset,
    SummaryPrinted,
    TrainingCallEmpty,
    UpdateShown,
)
from frostline.core.events.fact import Origin
from frostline.core.events.files import FileWritten, LoadCompared
from frostline.core.ledger import Movement, TensorRow
from frostline.core.record import Finding, FindingOrigin
from frostline.laws.lines.fixes import with_fix
from frostline.laws.observed_run import ObservedRun

ROLES: Mapping[Act, str] = {
    "made": "made",
    "froze": "frozen",
    "unfroze": "unfrozen",
    "optimizer": "optimizer",
    "group": "group",
    "compiled": "compiled",
    "step": "step",
    "loaded": "loaded",
    "wrote": "written",
    "data": ".data taken",
    "train": "train mode",
    "eval": "eval mode",
    "saved": "saved",
}
OF_ONE_ROLE = 3
_FLAGS: tuple[Act, ...] = ("froze", "unfroze")
_WRITES: tuple[Act, ...] = ("wrote", "loaded", "data")
_HELD: tuple[Act, ...] = ("optimizer", "group", "compiled", "step")

# What matters to a finding, the most telling first: by its code, else by the first letter of that.
_ACTS: Mapping[str, tuple[Act, ...]] = {
    "F": (*_WRITES, "froze", *_HELD),
    "F104": ("froze", *_WRITES, *_HELD),
    "F107": ("train", "froze"),
    "F108": ("froze", "train"),
    "F109": (*_WRITES, "froze"),
    "F111": _HELD,
    "T": _HELD,
    "T201": (*_HELD, "unfroze", "made"),
    "T202": ("made", *_HELD),
    "T209": ("unfroze", *_HELD),
    "T210": ("made",),
    "T212": ("made",),
    "D": _FLAGS,
    "D303": ("made",),
    "D305": ("made", *_FLAGS),
    "D306": ("froze", "made"),
    "W": _HELD,
    "W401": ("froze", *_HELD),
    "W403": ("loaded", *_HELD),
    "W404": ("made", *_HELD),
    "W407": (*_WRITES, *_HELD),
    "W410": ("made",),
    "W411": ("unfroze", *_HELD),
    "M": ("froze", *_HELD),
    "M501": ("unfroze", "froze", *_HELD, *_WRITES),
    "S": ("saved",),
    "S605": ("loaded",),
    "L1": ("froze", *_HELD, *_WRITES),
    "L2": ("unfroze", *_HELD),
    "L3": ("froze", "unfroze", *_HELD),
    "L4": _HELD,
    "L5": ("train", "eval"),
    "L6": _WRITES,
    "L7": (*_WRITES, "made"),
    "L8": ("loaded",),
    "L9": ("saved",),
    "L10": ("made",),
}

_Told: TypeAlias = (
    LoadCompared
    | FlagMisspelt
    | FlagsLost
    | TrainingCallEmpty
    | LabelUnmatched
    | StateReset
    | ResultDropped
    | SummaryPrinted
)
# Facts that a finding is made of, by its code, with what their line did.
_TOLD: Mapping[str, tuple[tuple[type[_Told | UpdateShown], ...], str]] = {
    "L8": ((LoadCompared,), "loaded"),
    "L4": ((TrainingCallEmpty,), "called"),
    "W408": ((StateReset,), "step"),
    "W409": ((LabelUnmatched,), "labelled"),
    "P801": ((SummaryPrinted,), "printed"),
    "D304": ((FlagMisspelt,), "set"),
    "D307": ((FlagsLost,), "called"),
    "T208": ((ResultDropped,), "step"),
    "T213": ((ResultDropped,), "step"),
}


def located(findings: Iterable[Finding], run: ObservedRun) -> list[Finding]:
    """The findings with the lines that they point at.

    Args:
        findings: of this run.
        run: what was seen of it.
    """
    lines = _Lines(run)
    with_lines = [replace(finding, origins=lines.of(finding)) for finding in findings]
    return [replace(each, hint=with_fix(each, _rows(each, run), run)) for each in with_lines]


class _Lines:
    """The lines of a run, found by the tensors and optimizers that they are about."""

    def __init__(self, run: ObservedRun) -> None:
        self._run = run
        self._of_tensor: dict[int, list[LineSeen]] = {}
        self._of_optimizer: dict[str, list[LineSeen]] = {}
        for line in run.events_of(LineSeen):
            for tensor in line.tensors:
                self._of_tensor.setdefault(tensor, []).append(line)
            if line.optimizer:
                self._of_optimizer.setdefault(line.optimizer, []).append(line)

    def of(self, finding: Finding) -> list[FindingOrigin]:
        """What a finding points at, each line once for what it did."""
        found = [*self._told(finding), *self._updates(finding)]
        rows = _rows(finding, self._run)
        for act in _ACTS.get(finding.code, _ACTS.get(finding.code[0], ())):
            found += self._by(act, rows, finding)
        once = {(each.role, each.file, each.line, each.until): each for each in reversed(found)}
        return list(reversed(once.values()))

    def _by(self, act: Act, rows: Sequence[TensorRow], finding: Finding) -> list[FindingOrigin]:
        if act in _HELD:
            lines = [line for each in self._optimizers(rows, finding) for line in self._of_optimizer.get(each, ())]
            held = {row.id for row in rows}
            about = [line for line in lines if line.act == act and (act != "group" or held & {*line.tensors})]
        elif act == "saved":
            return self._saved(finding)
        else:
            about = [line for row in rows for line in self._of(act, row, finding)]
        return [_origin(line) for line, _ in Counter(about).most_common(OF_ONE_ROLE)]

    def _of(self, act: Act, row: TensorRow, finding: Finding) -> Iterable[LineSeen]:
        """The lines of this act that are about a tensor and this finding."""
        mine = self._of_tensor.get(row.id, [])
        lines = [line for line in mine if line.act == act]
        if act in _FLAGS and row.kind == "buffer":
            beside = [other for other in self._run.module(row) if other.kind == "parameter"]
            return [line for other in beside for line in self._of(act, other, finding)]
        if act in _FLAGS:
            if finding.code.startswith("D"):
                return lines
            flags = [line for line in mine if line.act in _FLAGS]
            last = flags[-1] if flags else None
            is_so = last is not None and (last.act == "unfroze") == bool(row.declared.trainable)
            return lines[-1:] if is_so else ()  # else another writer was not seen
        if act in _WRITES:
            of_frozen = finding.code.startswith("F")
            return _writers(lines, [move for move in row.changed.movements if not (of_frozen and move.trainable)])
        return lines[-1:] if act in ("train", "eval") else lines

    def _optimizers(self, rows: Sequence[TensorRow], finding: Finding) -> list[str]:
        """Those that the finding names, else those that hold its tensors."""
        known = {optimizer.id for optimizer in self._run.optimizers}
        said = [
            name
            for value in finding.evidence.values()
            for name in (value if isinstance(value, list) else [value])
            if isinstance(name, str) and name in known
        ]
        held = [holding.optimizer for row in rows for holding in row.optimizers if holding.listed]
        whole = [*known] if not rows and not said else []
        nobody = [*known] if finding.code == "T201" else []
        return list(dict.fromkeys([*said, *(held if not said else ()), *whole, *nobody]))

    def _told(self, finding: Finding) -> Iterator[FindingOrigin]:
        """The lines of the facts that the finding is made of."""
        kinds, role = _TOLD.get(finding.code, ((), ""))
        for kind in kinds:
            for event in self._run.events_of(kind):
                if event.origin is not None and _concerns(event, finding):
                    yield _pointed(role, event.origin, getattr(event, "step", 0))

    def _updates(self, finding: Finding) -> Iterator[FindingOrigin]:
        """The lines that update the tensors, where a trace showed them and the finding says so."""
        if "applied_at" in finding.evidence:
            for event in self._run.events_of(UpdateShown):
                if event.origin is not None and {*event.tensors} & {*finding.tensors}:
                    yield _pointed("step", event.origin, event.step)

    def _saved(self, finding: Finding) -> list[FindingOrigin]:
        words = {str(value) for value in finding.evidence.values()}
        said = f"{finding.message} {' '.join(words)}"
        return [
            _pointed("saved", event.origin, event.step)
            for event in self._run.events_of(FileWritten)
            if event.origin is not None and event.file in said
        ][:OF_ONE_ROLE]


def _rows(finding: Finding, run: ObservedRun) -> list[TensorRow]:
    return [run.named[name] for name in finding.tensors if name in run.named]


def _writers(lines: Sequence[LineSeen], moves: Sequence[Movement]) -> list[LineSeen]:
    """Those that wrote what moved outside of steps: seen themselves, else as a bound."""
    outside = [move for move in moves if move.place == "outside"]
    about = [line for line in lines if any(_at(line, move) for move in outside)]
    seen = [line for line in about if line.until is None]
    return seen or about


def _at(line: LineSeen, move: Movement) -> bool:
    """Whether the line was executed when the tensor moved: a bound begins at the reading with which the move does."""
    if line.until is not None:
        return line.step == move.since
    return move.since <= line.step < max(move.until, move.since + 1)


def _concerns(event: Event, finding: Finding) -> bool:
    """Whether a fact is about the tensors, the optimizer, the model or the file of a finding."""
    values = [*finding.evidence.values()]
    if isinstance(event, FlagMisspelt) and event.attribute not in values:
        return False
    names = {*getattr(event, "tensors", ()), *getattr(event, "rewritten", ()), *getattr(event, "lacking", ())}
    about = [name for field in ("optimizer", "file", "model") if (name := getattr(event, field, ""))]
    return bool(names & {*finding.tensors}) or not names or any(name in values for name in about)


def _origin(line: LineSeen) -> FindingOrigin:
    assert line.origin is not None
    found = _pointed(ROLES[line.act], line.origin, line.step)
    return found if line.until is None else replace(found, until=(line.until.file, line.until.line))


def _pointed(role: str, origin: Origin, step: int) -> FindingOrigin:
    return FindingOrigin(role, origin.file, origin.line, origin.source, origin.inside, step=step)
