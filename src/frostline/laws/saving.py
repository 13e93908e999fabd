"""L9: a file that the run wrote holds the bits of memory at that moment, and files together what was trained."""

from __future__ import annotations

from collections.abc import Iterator

from frostline.core import facts
from frostline.core.amounts import several, tensors
from frostline.core.events.files import FilesAlike, LoadCompared
from frostline.core.ledger import TensorRow
from frostline.core.record import Severity
from frostline.laws.causes.cause import Evidence
from frostline.laws.law import Law, Violation
from frostline.laws.observed_run import ObservedRun

FILES_SAID = 4
RENEW = "take a new copy for each file: what is written was copied once and kept"
KEPT = "right where the best or an earlier state is written again on purpose"
BASE = "save the base too, or convert the adapters to the base of the file (as peft does when it is asked to)"
MERGE = "merge the adapters into their layers before the export (merge_and_unload() in peft), and compare a weight"


def violations(run: ObservedRun) -> Iterator[Violation]:
    """Files that repeat earlier ones, exports without the adapters of their layers, and adapters without their base."""
    yield from _repeated(run)
    yield from _unmerged(run)
    yield from _rewritten_base(run)


def _repeated(run: ObservedRun) -> Iterator[Violation]:
    for alike in run.events_of(FilesAlike):
        rows = tuple(run.named[name] for name in alike.tensors if name in run.named)
        if not rows:
            continue
        first, *others = dict.fromkeys(alike.files)
        steps = several(alike.steps[-1] - alike.steps[0], "step")
        evidence: Evidence = {"file": first, "written_at_step": alike.steps[0], "and_at_steps": _steps(alike)}
        if others:
            fact = f"{_listed(others)} hold the bits of {first}, which was written after step {alike.steps[0]:,}"
        else:
            fact = f"{first} was written {several(len(alike.steps), 'time')} with the bits of the first"
        moved = f"{fact}, though {tensors(rows)} moved in the {steps} between"
        chosen = (
            not others or alike.went_on
        )  # one file that is renewed may be of the best; a series that goes on is one
        hint, severity = (KEPT, "note") if chosen else (RENEW, None)
        yield Violation(rows, moved, evidence, hint=hint, apart=True, severity=severity)  # type: ignore[arg-type]


def _steps(alike: FilesAlike) -> str:
    return ", ".join(f"{step:,}" for step in alike.steps[1 : FILES_SAID + 1])


def _listed(files: list[str]) -> str:
    said = ", ".join(files[:FILES_SAID])
    return said if len(files) <= FILES_SAID else f"{said} and {len(files) - FILES_SAID} more files"


def _unmerged(run: ObservedRun) -> Iterator[Violation]:
    """Weights of adapted layers in a file under the name of the whole layer, without what was trained beside them."""
    found: dict[tuple[str, str], list[tuple[TensorRow, list[TensorRow]]]] = {}
    for row in run.tensors:
        for copy in row.saved.copies if row.saved is not None and row.changed.verdict == "no" else ():
            if copy.step and _is_named_after_the_whole(row, copy.name) and _is_as_before(row, copy.file, run):
                beside = [each for each in _in_the_whole(row, run) if _trained(each) and not _is_in(each, copy.file)]
                if beside:
                    found.setdefault((row.model, copy.file), []).append((row, beside))
    for (model, file), pairs in found.items():
        rows = tuple(row for row, _ in pairs)
        adapters = list(dict.fromkeys(each.name for _, beside in pairs for each in beside))
        fact = (
            f"{file} has {tensors(rows)} of {model} under the names of their whole layers, with the bits from before "
            f"training; the {several(len(adapters), 'tensor')} that were trained in these layers are not in it"
        )
        evidence: Evidence = {"file": file, "trained": adapters[0], "tensor": rows[0].name}
        yield Violation(rows, fact, evidence, hint=MERGE, apart=True)


def _rewritten_base(run: ObservedRun) -> Iterator[Violation]:
    """Weights of a file that were rewritten after it was loaded, and are in no file beside what was trained on them."""
    for load in run.events_of(LoadCompared):
        rewritten = [run.named[name] for name in load.rewritten if name in run.named]
        lost = tuple(row for row in rewritten if row.declared.trainable is False and _is_missing(row))
        saved = [
            row
            for row in run.models.get(load.model, ())
            if _trained(row) and row.saved is not None and row.saved.copies
        ]
        if lost and saved and saved[0].saved is not None:
            file = saved[0].saved.copies[0].file
            fact = (
                f"{tensors(lost)} of {load.model} were rewritten after {load.file} was loaded, and are in no file that "
                f"was seen: "
                f"{file} was trained on weights that are lost"
            )
            severity: Severity | None = "warning" if {row.name for row in lost} <= set(load.close) else None
            evidence: Evidence = {"file": file, "loaded_from": load.file, "tensor": lost[0].name}
            yield Violation(lost, fact, evidence, hint=BASE, apart=True, severity=severity)


def _is_missing(row: TensorRow) -> bool:
    return row.saved is not None and row.saved.state == "missing"


def _is_named_after_the_whole(row: TensorRow, name: str) -> bool:
    """Whether a file calls a layer's weight as if it were that of the layer around it: without the layer's own name."""
    around, _, own = row.owner.path.rpartition(".")
    whole = f"{around.rpartition('.')[2]}.{row.name.rpartition('.')[2]}"
    return bool(around) and own != "" and (name == whole or name.endswith(f".{whole}"))


def _is_as_before(row: TensorRow, file: str, run: ObservedRun) -> bool:
    """Whether a file has all of a layer with the bits from before training: merging leaves its bias alone."""
    return all(
        each.changed.verdict == "no" and copy.state == "same"
        for each in run.module(row)
        for copy in (each.saved.copies if each.saved is not None else ())
        if copy.file == file
    )


def _in_the_whole(row: TensorRow, run: ObservedRun) -> list[TensorRow]:
    around = row.owner.path.rpartition(".")[0]
    return [
        each
        for each in run.models[row.model]
        if f"{each.owner.path}.".startswith(f"{around}.") and not f"{each.owner.path}.".startswith(f"{row.owner.path}.")
    ]


def _trained(row: TensorRow) -> bool:
    return row.kind == "parameter" and row.changed.verdict == "yes" and bool(row.optimizers)


def _is_in(row: TensorRow, file: str) -> bool:
    return row.saved is not None and any(copy.file == file for copy in row.saved.copies)


LAW = Law(
    "L9",
    "saving",
    "error",
    statement="A file that the run wrote holds, for each of its tensors, the bits of memory at that moment, "
    "and what was trained is in one of the files.",
    matters="What is shipped is the file, not the memory.",
    remedy="save the whole state of the model that was trained, after the last step",
    needs=(
        facts.FileWritten,
        facts.FilesAlike,
        facts.SavedSettled,
    ),
    cannot_see="One file that is written again and again with old bits (a note: the best may be kept so); files "
    "written otherwise than by the frameworks' own savers, safetensors, pickle, joblib, numpy and h5py.",
    violations=violations,
)
