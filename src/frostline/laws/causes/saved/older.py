"""S602 and S603: files that hold a model from before its training, or another model than the one that was trained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from frostline.core.amounts import parameters, several, tensors
from frostline.core.columns.saved import Copy
from frostline.core.events.files import FileWritten
from frostline.core.ledger import TensorRow
from frostline.laws.causes.cause import Case, Cause, Evidence, Mitigation
from frostline.laws.causes.saved.copies import changed, copies, from_before, half_following
from frostline.laws.causes.saved.words import words
from frostline.laws.observed_run import ObservedRun

REMEDY = "save {}, or check when the copy that is saved was last renewed"


def _older(run: ObservedRun) -> Iterator[Case]:
    for model, rows in run.models.items():
        hint = REMEDY.format(words(run).itself)
        cases = [*_before_training(model, rows, hint), *_put_back(model, rows)]
        yield from cases or _before_the_end(model, rows, run, hint)


def _evidence(copy: Copy) -> Evidence:
    return {"file": copy.file, "written_at_step": copy.step, "in_the_file_as": copy.name}


def _before_training(model: str, rows: Sequence[TensorRow], hint: str) -> Iterator[Case]:
    old = from_before(rows)
    copy = copies(old[0], "first")[0] if old else None
    if copy is not None and copy.origin is None:
        old += [row for row in changed(rows) if any(each.file == copy.file for each in copies(row, "zero"))]
        when = f"{copy.file}, written after step {copy.step:,}"
        text = f"{when}, has {tensors(old)} of {model} as they were before training"
        yield Case(old, text, _evidence(copy), hint=hint)


@dataclass(frozen=True, slots=True)
class _PutBack:
    """Tensors that steps moved, and those of them that held their first bits again when they were written."""

    trained: list[TensorRow]
    back: list[TensorRow]


def _put_back(model: str, rows: Sequence[TensorRow]) -> Iterator[Case]:
    """A state from before the training was loaded into what was trained, and then written."""
    trained = [row for row in changed(rows) if row.kind == "parameter" and row.declared.trainable is not False]
    back = [row for row in trained if any(copy.put_back for copy in copies(row, "first"))]
    if not back:
        return
    copy = next(copy for copy in copies(back[0], "first") if copy.put_back)
    yield Case(
        back,
        f"{copy.file}, written after step {copy.step:,}, has {tensors(back)} of {model} as they were before training: "
        "they were trained and put back to their first bits before it was written",
        {
            "file": copy.file,
            "written_at_step": copy.step,
            "trained_by": ", ".join(back[0].changed.during),
            "trained": parameters(trained),
            "put_back": parameters(back),
        },
        hint="look for the load between the last step and the save: the state that it loads was taken before training",
        mitigated=NOT_ALL.proven(_PutBack(trained, back)),
    )


def _not_all_lost(seen: _PutBack) -> str | None:
    if len(seen.back) < len(seen.trained):
        return f"{len(seen.back)} of {several(len(seen.trained), 'trained tensor')} were put back"
    kept = [row for row in seen.back if copies(row)[0].state != "first"]  # the best of its copies
    return f"another file has what was learned in {kept[0].name}" if kept else None


def _before_the_end(model: str, rows: Sequence[TensorRow], run: ObservedRun, hint: str) -> Iterator[Case]:
    """A file written once, and training went on: a script that writes again and again keeps what it wants.

    However many files were written before the first step, none of them has what was learned.
    """
    saves = [event for event in run.events_of(FileWritten) if event.tensors]
    once = len(saves) == 1 and saves[0].times == 1
    old = [row for row in rows if row.saved is not None and row.saved.state == "older"]
    current = any(copies(row, "same", "rounded") for row in changed(rows))
    untrained = all(copy.step == 0 for row in old for copy in copies(row, "older"))
    if not old or current or not (once or untrained):
        return
    copy, steps = copies(old[0], "older")[0], run.steps
    yield Case(
        old,
        f"{copy.file} was written at step {copy.step:,}; {several(steps - copy.step, 'step')} of training followed, "
        f"and no file has what {model} learned in them",
        {"file": copy.file, "written_at_step": copy.step, "steps": steps},
        hint=None if (mitigated := THEN_CURRENT.proven(copy)) else hint,
        mitigated=mitigated,
    )


NOT_ALL = Mitigation(
    "not all", "Only a part of what was trained was put back, or another file has what was learned.", _not_all_lost
)
THEN_CURRENT = Mitigation[Copy](
    "current then",
    "The file holds what memory held when it was written; training went on.",
    lambda copy: f"memory held these bits at step {copy.step:,}, when {copy.file} was written",
    hint="right where that state is wanted; else save once more after the last step",
)
OLDER = Cause(
    code="S602",
    slug="saved-copy-is-older",
    severity="error",
    law="L9",
    means="A file written after training holds the bits from before it.",
    matters="The run looks good while it lasts, and what it leaves behind is the untrained model.",
    remedy=REMEDY.format("the model itself"),
    tells_apart="All bytes were compared with those of the first check, and memory had moved on when they were "
    "written, or a step had trained the tensor and memory held the first bits again, as after a load.",
    mitigations=(NOT_ALL, THEN_CURRENT),
    cases=_older,
)


def _others(run: ObservedRun) -> Iterator[Case]:
    for model, rows in run.models.items():
        old = from_before(rows)
        copy = copies(old[0], "first")[0] if old else None
        if copy is not None and copy.origin is not None and not any(half_following(rows)):
            text = f"{copy.file} holds {tensors(old)} of {copy.origin}, not those of {model}, which was trained"
            yield Case(old, text, _evidence(copy) | {"tensors_of": copy.origin})
    yield from _twins(run)


def _twins(run: ObservedRun) -> Iterator[Case]:
    """A trained model in no file, and in its place one of the same names and shapes of which no bit moved."""
    for model, rows in run.models.items():
        trained = [row for row in changed(rows) if row.kind == "parameter"]
        if not trained or any(row.saved is not None for row in rows):
            continue
        for other, theirs in run.models.items():
            still = all(row.changed.verdict == "no" and row.saved is not None for row in theirs)
            if other != model and still and _outline(rows) == _outline(theirs):
                copy = next(iter(copies(theirs[0])), None)
                yield Case(
                    trained,
                    f"{tensors(theirs)} of {other} were written, and no bit of them moved; {model} was trained instead",
                    {
                        "file": copy.file if copy else None,
                        "written_at_step": copy.step if copy else None,
                        "tensors_of": other,
                    },
                )


def _outline(rows: Iterable[TensorRow]) -> set[tuple[str, tuple[int, ...]]]:
    return {(row.name.removeprefix(f"{row.model}."), row.shape) for row in rows}


OTHERS = Cause(
    code="S603",
    slug="saved-has-other-tensors",
    severity="error",
    law="L9",
    means="The tensors in the file belong to another model than the one that was trained, with the same names.",
    matters="The file loads without a word of complaint and knows nothing of the training.",
    remedy="save the model that the optimizer holds; look where the other one was copied or built again",
    tells_apart="The memory that was written is that of another module, and none of its bits moved in the run.",
    cases=_others,
)
