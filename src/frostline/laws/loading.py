"""L8: what was read from a file and given to a model is in it at the first step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from frostline.core import facts
from frostline.core.amounts import several, tensors
from frostline.core.events.files import LoadCompared
from frostline.core.ledger import TensorRow
from frostline.laws.causes.cause import Evidence
from frostline.laws.law import Excuse, Law, Violation, by_row
from frostline.laws.observed_run import ObservedRun

NAMES_SAID = 4
REWRITTEN = "load after whatever initialises the weights, or keep that away from what was loaded"
IN_PART = "right where the rest is new on purpose: a head, other classes, a larger vocabulary"
NOT_GIVEN = "check the names that the script compares: those of the file and of the model have nothing in common"


def violations(run: ObservedRun) -> Iterator[Violation]:
    """Loads of which nothing is in the model, frozen tensors that were rewritten since, and loads in part."""
    last = {(load.file, load.model): load for load in run.events_of(LoadCompared)}
    for load in last.values():
        rewritten = [run.named[name] for name in load.rewritten if name in run.named]
        frozen = tuple(row for row in rewritten if _is_frozen(row))
        compared = len(load.rewritten) + len(load.lacking) + len(load.absent)  # the rest is there in another form
        if not load.close and compared == load.entries:
            yield _nothing(load, run)
        else:
            if frozen:
                fact = (
                    f"{tensors(frozen)} of {load.model}, frozen, {_were(frozen)} loaded from {load.file} and rewritten"
                )
                yield Violation(frozen, f"{fact} before the next step", _evidence(load), hint=REWRITTEN)
            yield from _part(load, run, [row for row in rewritten if row not in frozen])


def _nothing(load: LoadCompared, run: ObservedRun) -> Violation:
    names = {*load.rewritten, *load.lacking} or {row.name for row in run.models.get(load.model, ())}
    rows = tuple(row for row in run.models.get(load.model, ()) if row.name in names)
    fact = f"0 of {several(load.entries, 'tensor')} of {load.file} are in {load.model} before step {load.step + 1:,}"
    hint: str | None
    if load.rewritten:
        why, hint = f": {several(len(load.rewritten), 'tensor')} took them and were rewritten since", REWRITTEN
    elif load.before or load.after:
        why, hint = f": {_renaming(load)}", "rename what the load reports as missing, and load with strict=True"
    else:
        why = "" if load.lacking else ": the layers that took them were replaced since, or its names are others"
        hint = NOT_GIVEN if load.gave_nothing else None
    return Violation(rows, fact + why, _evidence(load), hint=hint, apart=True)


def _part(load: LoadCompared, run: ObservedRun, rewritten: Sequence[TensorRow]) -> Iterator[Violation]:
    lacking = [run.named[name] for name in load.lacking if name in run.named]
    rows = (*rewritten, *lacking)
    if rows:
        fact = f"{load.there:,} of {several(load.entries, 'tensor')} of {load.file} are in {load.model}"
        of_those = [
            f"{tensors(each)} {what}" for each, what in ((rewritten, "rewritten since"), (lacking, "left out")) if each
        ]
        yield Violation(rows, f"{fact}: {', '.join(of_those)}", _evidence(load), hint=IN_PART, severity="note")


def _were(rows: Sequence[TensorRow]) -> str:
    return "was" if len(rows) == 1 else "were"


def _renaming(load: LoadCompared) -> str:
    """How names of the file become those of the model."""
    without = f"without '{load.before}.' in front" if load.before else ""
    added = f"with '{load.after}.' in front" if load.after else ""
    said = " and ".join(each for each in (without, added) if each)
    return f"{len(load.lacking)} of its names are the model's {said}"


def _evidence(load: LoadCompared) -> Evidence:
    line = load.origin
    return {
        "file": load.file,
        "loaded_by": line.text if line is not None else None,
        "there": load.there,
        "of": load.entries,
        "rewritten_by": list(load.lines) or None,
        "in_no_tensor": list(load.absent[:NAMES_SAID]) or None,
    }


def _is_frozen(row: TensorRow) -> bool:
    return row.kind == "parameter" and (row.declared.trainable is False or row.expected == "frozen")


@by_row
def _adjusted(row: TensorRow, run: ObservedRun) -> str | None:
    near = [load.file for load in run.events_of(LoadCompared) if row.name in load.close]
    return f"its values go together with those of {near[-1]}" if near else None


LAW = Law(
    "L8",
    "loading",
    "error",
    statement="What was read from a file and given to a model is in the model at the first step, by its bits.",
    matters="The run starts from random weights and calls them pretrained.",
    remedy="check the names that the load reports as missing, and print a weight before and after",
    needs=(
        facts.TensorSeen,
        facts.ModuleSeen,
        facts.LoadLeftOut,
        facts.LoadMatched,
        facts.LoadCompared,
    ),
    cannot_see="Files that are read otherwise than by torch.load, safetensors, numpy.load (archives), pickle.load, or "
    "Keras' load_weights and load_model of HDF5 files; what is given to a torch model otherwise than by "
    "load_state_dict; tensors of less than 8 values or of one value in all places; of Keras, files of another type "
    "than the model's; sharded models.",
    excuses=(
        Excuse(
            "adjusted",
            "Its values go together with those of the file: rounded, scaled, pruned or merged after the load.",
            _adjusted,
        ),
    ),
    violations=violations,
)
