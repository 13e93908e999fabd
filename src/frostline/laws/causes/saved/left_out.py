"""S601: tensors that were trained and are in no file that was seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from frostline.core.agreement import merged_into
from frostline.core.amounts import are, parameters, tensors, were
from frostline.core.events.files import StateHidden
from frostline.core.ledger import TensorRow
from frostline.core.names.name_matching import plain
from frostline.laws.causes.cause import Case, Cause, Mitigation, proven
from frostline.laws.causes.saved.copies import changed, copies
from frostline.laws.causes.saved.words import words
from frostline.laws.observed_run import ObservedRun

REMEDY = "write {}, or choose by what was trained and not by a part of the names"
MUCH_SMALLER = 10  # a part that leaves out ten times as many trained parameters is a head without its body
SHOWN = 8  # files and places that evidence lists


@dataclass(frozen=True, slots=True)
class _Part:
    """Of a model of which files hold a part: the tensors in a file, those in none, and the trained ones of these."""

    written: Sequence[TensorRow]
    missing: Sequence[TensorRow]
    lost: Sequence[TensorRow]


def _cases(run: ObservedRun) -> Iterator[Case]:
    for model, rows in run.models.items():
        missing = [row for row in rows if row.saved is not None and row.saved.state == "missing"]
        written = [row for row in rows if copies(row, "same", "rounded", "older", "fewer-rows", "other", "first")]
        lost = [row for row in changed(missing) if row.kind == "parameter" and not merged_into(row)]
        yield from _statistics(model, missing, written, words(run).statistics)
        if lost and written:
            yield _parameters(model, _Part(written, missing, lost), words(run).whole)
    yield from _hidden(run)


def _statistics(model: str, missing: Sequence[TensorRow], written: Sequence[TensorRow], hint: str) -> Iterator[Case]:
    """Buffers that moved, of modules whose parameters are in the file."""
    saved = {row.owner.path for row in written if row.kind == "parameter"}
    lost = [
        row
        for row in changed(missing)
        if row.kind == "buffer" and row.owner.path in saved and row.owner.role in ("normalisation", "codebook")
    ]
    if lost:
        yield Case(
            lost,
            f"{tensors(lost)} of {model} moved in training and are in no file that was seen, though the parameters "
            f"beside them are",
            {"file": copies(written[0])[0].file},
            hint=hint,
        )


def _parameters(model: str, part: _Part, whole: str) -> Case:
    files = list(dict.fromkeys(copy.file for row in part.written for copy in copies(row)))
    unregistered = any(not row.registered for row in part.lost)
    mitigated = None if unregistered else proven(PARTS, part)
    note = ": a part was saved" if mitigated is not None and mitigated.name == "a part" else ""
    lost = len(part.lost)
    return Case(
        part.lost,
        f"{tensors(part.lost)} of {model} {were(lost)} trained and {are(lost)} in no file that was seen; "
        f"{tensors(part.written)} {are(len(part.written))}{note}",
        {
            "files": files[:SHOWN],
            "saved": parameters(part.written),
            "trained_but_not_saved": parameters(part.lost),
        },
        hint="register them (ModuleList, ParameterList, an attribute), so that state_dict() has them"
        if unregistered
        else None
        if mitigated is not None
        else REMEDY.format(whole),
        mitigated=mitigated,
    )


def _head_alone(part: _Part) -> str | None:
    """A part was chosen that is much smaller than what was trained with it."""
    small = parameters(part.lost) >= MUCH_SMALLER * parameters(part.written)
    chosen = _chosen(part) if small else None
    return f"{chosen}, and it is a {MUCH_SMALLER}th of what was trained or less" if chosen else None


def _chosen(part: _Part) -> str | None:
    """That a part was meant: it is all of one module, or the file names it otherwise than the model does."""
    names = [row.name.split(".")[:-1] for row in part.written]
    whole = ".".join(first for first, *_ in takewhile(lambda each: len(set(each)) == 1, zip(*names, strict=False)))
    if not any(row.name.startswith(f"{whole}.") for row in part.missing):
        return f"the file has all of {whole}"
    renamed = next((row for row in part.written if not _named_whole(row)), None)
    return f"the file has {renamed.name} as {copies(renamed)[0].name}" if renamed is not None else None


def _merged(part: _Part) -> str | None:
    """Each of them stands beside a weight that the script rewrote outside every step, and that is in a file so."""
    rewritten = {_around(row): row for row in part.written if _was_rewritten(row)}
    merged = [(_around(row), f"{row.model}.{row.owner.path}") for row in part.lost]
    if not all(any(place in rewritten for place in places) for places in merged):
        return None
    row = next(rewritten[place] for place in merged[0] if place in rewritten)
    return f"{row.name}, in the layer of {part.lost[0].name}, was rewritten outside every step and is in a file so"


def _was_rewritten(row: TensorRow) -> bool:
    moves = row.changed.movements
    return (
        row.declared.trainable is False and bool(moves) and all(move.place in ("outside", "between") for move in moves)
    )


def _around(row: TensorRow) -> str:
    """The module around the layer that holds a tensor."""
    return f"{row.model}.{row.owner.path.rpartition('.')[0]}"


def _named_whole(row: TensorRow) -> bool:
    """Whether a file has the tensor under its name in the model; the state of a submodule has names of its own."""
    first = plain(row.name.removeprefix(f"{row.model}.")).partition(".")[0]
    return any(first in plain(copy.name).split(".") for copy in copies(row))


def _hidden(run: ObservedRun) -> Iterator[Case]:
    """Parts that a model keeps in a plain container, trained, and left out where the model was written."""
    lost: dict[str, list[TensorRow]] = {}
    for event in run.events_of(StateHidden):
        for row in (run.named[name] for name in event.tensors if name in run.named):
            missing = row.saved is not None and row.saved.state == "missing"
            if missing and row.changed.verdict == "yes" and any(holding.listed for holding in row.optimizers):
                lost.setdefault(event.place.partition(".")[0], []).append(row)
    for model, rows in lost.items():
        names = {row.name for row in rows}
        places = [event.place for event in run.events_of(StateHidden) if names & set(event.tensors)]
        shown = ", ".join(places[:3]) + (", …" if len(places) > 3 else "")
        yield Case(
            rows,
            f"{tensors(rows)} of {model} were trained and are in no file that was seen: state_dict() does not see "
            f"{shown}",
            {"kept_in": places[:SHOWN], "trained_but_not_saved": parameters(rows)},
            hint="register them (ModuleList, ModuleDict, an attribute), so that state_dict() has them",
        )


PARTS = (
    Mitigation("merged", "It was merged into the weight beside it, which is in a file.", _merged),
    Mitigation(
        "a head alone",
        "A part was chosen, and it fits only the much larger one that it was trained with.",
        _head_alone,
        severity="warning",
        hint="a head fits only the body that it was trained on: save that too, or freeze it",
    ),
    Mitigation("a part", "A part was chosen.", _chosen, hint="right where only this part is wanted"),
)
MISSING = Cause(
    code="S601",
    slug="trained-but-not-saved",
    severity="error",
    law="L9",
    means="Tensors were trained, and no file that the run was seen to write holds them, though one holds others of the "
    "model.",
    matters="What was learned in them is gone when the run ends; the file, loaded, behaves worse than the run did.",
    remedy=REMEDY.format("the whole state of the model"),
    tells_apart="Every tensor that was written is related to the tensors by its memory, by name and bits, or, where a "
    "script writes single arrays, by its bits. Watched are the frameworks' own savers, safetensors, pickle, joblib, "
    "numpy and h5py.",
    mitigations=PARTS,
    cases=_cases,
)
