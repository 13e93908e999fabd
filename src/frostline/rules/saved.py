"""S: the files that the run wrote, against what it trained."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import takewhile

from frostline.core.agreement import merged_into
from frostline.core.events import FileWritten, StateHidden
from frostline.core.ledger import Ledger, TensorRow
from frostline.core.names.name_matching import plain
from frostline.core.record import Finding
from frostline.core.saved import Copy, CopyState
from frostline.rules.rule import Evidence, Rule, parameters, several, tensors

MUCH_SMALLER = 10  # a part that leaves out ten times as many trained parameters is a head without its body

MISSING = Rule(
    "S601",
    "trained-but-not-saved",
    "error",
    "L9",
    means="Tensors were trained, and no file that the run wrote holds them, though it holds others of the model.",
    matters="What was learned in them is gone when the run ends; the file, loaded, behaves worse than the run did.",
    remedy="write the whole state_dict(), or choose by what was trained and not by a part of the names",
    tells_apart="Every tensor that was written is related to the tensors by its memory, or by name and bits.",
)
OLDER = Rule(
    "S602",
    "saved-copy-is-older",
    "error",
    "L9",
    means="A file written after training holds the bits from before it.",
    matters="The run looks good while it lasts, and what it leaves behind is the untrained model.",
    remedy="save model.state_dict() itself, or check when the copy that is saved was last renewed",
    tells_apart="All bytes were compared with those of the first check, and memory had moved on when they were "
    "written, or a step had trained the tensor and memory held the first bits again, as after a load. A note where "
    "another file has what was learned, or only a part of what was trained was put back.",
)
OTHERS = Rule(
    "S603",
    "saved-has-other-tensors",
    "error",
    "L9",
    means="The tensors in the file belong to another model than the one that was trained, with the same names.",
    matters="The file loads without a word of complaint and knows nothing of the training.",
    remedy="save the model that the optimizer holds; look where the other one was copied or built again",
    tells_apart="The memory that was written is that of another module, and none of its bits moved in the run.",
)
DIFFER = Rule(
    "S604",
    "saved-values-differ",
    "error",
    "L9",
    means="The values in the file are not those of the model: zeros, infinities, fewer rows, or those of another step.",
    matters="Names and shapes are right, so that everything loads; only the values are wrong.",
    remedy="compare the file with the model before it is trusted: frostline show FILE, or load it and evaluate again",
    tells_apart="Rounding to a smaller type is no difference; averages and earlier copies are values of their own. "
    "Rows that are left out are no loss where they are zero, or where those of a partner in the same module are.",
)
RULES = (MISSING, OLDER, OTHERS, DIFFER)


def find(ledger: Ledger) -> list[Finding]:
    """Judge the column saved of every model."""
    found: list[Finding] = []
    for model in dict.fromkeys(row.model for row in ledger.tensors):
        rows = [row for row in ledger.tensors if row.model == model]
        if any(row.saved is not None for row in rows):
            before = _wrong_tensors(model, rows)
            untrained = {finding.evidence.get("file") for finding in before}
            found += [*before, *_put_back(model, rows), *_wrong_values(model, rows, untrained), *_left_out(model, rows)]
            if not found:
                found += _before_the_end(model, rows, ledger)
    return [
        *found,
        *_hidden(ledger),
        *_twins(ledger),
    ]


def _copies(row: TensorRow, *states: CopyState) -> list[Copy]:
    return [copy for copy in row.saved.copies if copy.state in states] if row.saved is not None else []


# Copies from before the training


def _wrong_tensors(model: str, rows: Sequence[TensorRow]) -> list[Finding]:
    """Tensors whose best copy has the first bits; one that is saved elsewhere may have its first state kept too."""
    old = [row for row in rows if row.saved is not None and row.saved.state == "first" and row.changed.verdict == "yes"]
    old = [row for row in old if not any(copy.put_back for copy in _copies(row, "first"))]
    if not any(row.kind == "parameter" for row in old):  # counters that stand at their beginning prove nothing
        return []
    copy = _copies(old[0], "first")[0]
    facts: Evidence = {"file": copy.file, "written_at_step": copy.step, "in_the_file_as": copy.name}
    if copy.origin is not None:
        text = f"{copy.file} holds {tensors(old)} of {copy.origin}, not those of {model}, which was trained"
        return [OTHERS.found(old, text, facts | {"tensors_of": copy.origin})]
    text = f"{copy.file}, written after step {copy.step:,}, has {tensors(old)} of {model} as they were before training"
    return [OLDER.found(old, text, facts)]


def _put_back(model: str, rows: Sequence[TensorRow]) -> list[Finding]:
    """Tensors that were trained and held their first bits again when they were written: a state from before was loaded.

    An error where all that was trained is lost so. A part may be put back on purpose, and another file may be kept.
    """
    trained = [row for row in rows if row.kind == "parameter" and row.changed.verdict == "yes"]
    back = [row for row in trained if any(copy.put_back for copy in _copies(row, "first"))]
    if not back:
        return []
    copy = next(copy for copy in _copies(back[0], "first") if copy.put_back)
    text = (
        f"{copy.file}, written after step {copy.step:,}, has {tensors(back)} of {model} as they were before training: "
        "they were trained and put back to their first bits before it was written"
    )
    facts: Evidence = {
        "file": copy.file,
        "written_at_step": copy.step,
        "trained_by": ", ".join(back[0].changed.during),
        "trained": parameters(trained),
        "put_back": parameters(back),
    }
    lost = len(back) == len(trained) and all(row.saved is not None and row.saved.state == "first" for row in back)
    hint = "look for the load between the last step and the save: the state that it loads was taken before training"
    return [OLDER.found(back, text, facts, severity="error" if lost else "note", hint=hint)]


def _before_the_end(model: str, rows: Sequence[TensorRow], ledger: Ledger) -> list[Finding]:
    """A file written once, and training went on: an optimizer that writes again and again keeps what it wants.

    However many files were written before the first step, none of them has what was learned.
    """
    saves = [event for event in ledger.events_of(FileWritten) if event.tensors]
    once = len(saves) == 1 and saves[0].times == 1
    old = [row for row in rows if row.saved is not None and row.saved.state == "older"]
    current = any(_copies(row, "same", "rounded") for row in rows if row.changed.verdict == "yes")
    untrained = all(copy.step == 0 for row in old for copy in _copies(row, "older"))
    if not old or current or not (once or untrained):
        return []
    copy, steps = _copies(old[0], "older")[0], ledger.run.steps
    text = f"{copy.file} was written at step {copy.step:,}; {several(steps - copy.step, 'step')} of training followed"
    facts: Evidence = {"file": copy.file, "written_at_step": copy.step, "steps": steps}
    hint = "right where that state is wanted; else save once more after the last step"
    text += f", and no file has what {model} learned in them"
    return [OLDER.found(old, text, facts, severity="note", hint=hint)]


# Values that are not the model's


def _wrong_values(model: str, rows: Sequence[TensorRow], untrained: Collection[object]) -> list[Finding]:
    """What is wrong in itself; zeros in a file that is ``untrained`` as a whole are only what it began with."""
    trained = [row for row in rows if row.changed.verdict == "yes"]
    found = []
    wrongs: tuple[tuple[CopyState, str], ...] = (
        ("zero", "holds zeros for {} of {}, whose values are not zero in memory"),
        ("overflow", "has values that are not finite in {} of {}: they do not fit into {}"),
        ("fewer-rows", "has only the first rows of {} of {}: {}"),
    )
    for state, text in wrongs:
        wrong = [
            (row, copy)
            for row in trained
            for copy in _copies(row, state)
            if state != "zero" or copy.file not in untrained
        ]
        if state == "fewer-rows":  # a longer copy elsewhere will do
            wrong = [(row, copy) for row, copy in wrong if row.saved is not None and row.saved.state == state]
            wrong = _without_spare(wrong)
        if wrong:
            tensor_rows, (row, copy) = [row for row, _ in wrong], wrong[0]
            what = f"{copy.rows:,} of {row.shape[0]:,}" if copy.rows is not None else copy.dtype
            facts: Evidence = {"file": copy.file, "written_at_step": copy.step, "type": copy.dtype, "rows": copy.rows}
            found.append(
                DIFFER.found(tensor_rows, f"{copy.file} {text.format(tensors(tensor_rows), model, what)}", facts)
            )
    return [*found, *_not_a_copy(model, trained)]


def _without_spare(wrong: Sequence[tuple[TensorRow, Copy]]) -> list[tuple[TensorRow, Copy]]:
    """Leave out rows of no effect, as of an adapter whose rank was cut: zero, or beside rows of one module that are."""
    spare = {(_around(row), row.shape[0], copy.rows) for row, copy in wrong if copy.rest_zero}
    return [(row, copy) for row, copy in wrong if (_around(row), row.shape[0], copy.rows) not in spare]


def _around(row: TensorRow) -> tuple[str, str]:
    """The model, and the module around the one that holds the tensor."""
    return row.model, row.owner.path.rpartition(".")[0]


def _not_a_copy(model: str, trained: Sequence[TensorRow]) -> list[Finding]:
    """A state that the script took at one step and wrote at a later one, and that was live memory all the while."""
    kept = [
        (row, copy)
        for row in trained
        for copy in (row.saved.copies if row.saved is not None else ())
        if copy.taken is not None and 0 < copy.taken < copy.step
    ]
    if not kept:
        return []
    rows, copy = [row for row, _ in kept], kept[0][1]
    text = (
        f"the state of {model} that was taken after step {copy.taken:,} is no copy: "
        f"{tensors(rows)} were written to {copy.file} as they were after step {copy.step:,}"
    )
    facts: Evidence = {"file": copy.file, "taken_at_step": copy.taken, "written_at_step": copy.step}
    hint = "take a copy: copy.deepcopy(model.state_dict()), or clone() each tensor; cpu() alone copies nothing on a CPU"
    return [DIFFER.found(rows, text, facts, severity="warning", hint=hint)]


# Tensors that are in no file


def _left_out(model: str, rows: Sequence[TensorRow]) -> list[Finding]:
    missing = [row for row in rows if row.saved is not None and row.saved.state == "missing"]
    moved = [row for row in missing if row.changed.verdict == "yes" and row.kind == "parameter"]
    lost = [row for row in moved if not merged_into(row)]
    written = [row for row in rows if _copies(row, "same", "rounded", "older", "fewer-rows", "other", "first")]
    follows = bool(lost and written) and rows.index(written[0]) > rows.index(lost[-1])
    return [*_statistics(model, missing, written), *_parameters(model, lost, written, missing, follows)]


def _statistics(model: str, missing: Sequence[TensorRow], written: Sequence[TensorRow]) -> list[Finding]:
    """Buffers that moved, of modules whose parameters are in the file."""
    saved = {row.owner.path for row in written if row.kind == "parameter"}
    lost = [
        row
        for row in missing
        if row.kind == "buffer"
        and row.changed.verdict == "yes"
        and row.owner.path in saved
        and row.owner.role in ("normalisation", "codebook")
    ]
    if not lost:
        return []
    file = written[0].saved.copies[0].file if written[0].saved is not None else None
    text = f"{tensors(lost)} of {model} moved in training and are in no file, though the parameters beside them are"
    return [MISSING.found(lost, text, {"file": file}, hint="save state_dict(): parameters() leaves out all buffers")]


def _parameters(
    model: str, lost: Sequence[TensorRow], written: Sequence[TensorRow], missing: Sequence[TensorRow], follows: bool
) -> list[Finding]:
    """``follows`` says that what was written comes after all that was not, as a head does."""
    if not lost or not written:
        return []
    files = list(dict.fromkeys(copy.file for row in written if row.saved is not None for copy in row.saved.copies))
    facts: Evidence = {"files": files[:8], "saved": parameters(written), "trained_but_not_saved": parameters(lost)}
    text = f"{tensors(lost)} of {model} were trained and are in no file; {tensors(written)} are"
    if any(not row.registered for row in lost):
        hint = "register them (ModuleList, ParameterList, an attribute), so that state_dict() has them"
        return [MISSING.found(lost, text, facts, hint=hint)]
    if not _is_part(written, missing) and all(_named_whole(row) for row in written):
        return [MISSING.found(lost, text, facts)]
    if follows and parameters(lost) >= MUCH_SMALLER * parameters(written):
        hint = "a head fits only the body that it was trained on: save that too, or freeze it"
        return [MISSING.found(lost, text, facts, severity="warning", hint=hint)]
    hint = "right where only this part is wanted"
    return [MISSING.found(lost, f"{text}: a part was saved", facts, severity="note", hint=hint)]


def _is_part(written: Sequence[TensorRow], missing: Sequence[TensorRow]) -> bool:
    """Whether what was written is all of one module, which is not the model."""
    parts = [row.name.split(".") for row in written]
    common = [first for first, *others in takewhile(lambda each: len(set(each)) == 1, zip(*parts, strict=False))]
    whole = ".".join(common)
    return len(common) > 1 and not any(row.name.startswith(f"{whole}.") for row in missing)


def _named_whole(row: TensorRow) -> bool:
    """Whether a file has the tensor under its name in the model; the state of a submodule has names of its own."""
    first = plain(row.name.removeprefix(f"{row.model}.")).partition(".")[0]
    return row.saved is not None and any(first in plain(copy.name).split(".") for copy in row.saved.copies)


def _hidden(ledger: Ledger) -> list[Finding]:
    """Parts that a model keeps in a plain container, trained, and left out where the model was written."""
    rows = {row.name: row for row in ledger.tensors}
    lost: dict[str, list[TensorRow]] = {}
    for event in ledger.events_of(StateHidden):
        for row in (rows[name] for name in event.tensors if name in rows):
            missing = row.saved is not None and row.saved.state == "missing"
            if missing and row.changed.verdict == "yes" and any(holding.listed for holding in row.optimizers):
                lost.setdefault(event.place.partition(".")[0], []).append(row)
    return [_in_container(model, rows, ledger) for model, rows in lost.items()]


def _in_container(model: str, lost: Sequence[TensorRow], ledger: Ledger) -> Finding:
    names = {row.name for row in lost}
    places = [event.place for event in ledger.events_of(StateHidden) if names & set(event.tensors)]
    shown = ", ".join(places[:3]) + (", …" if len(places) > 3 else "")
    text = f"{tensors(lost)} of {model} were trained and are in no file: state_dict() does not see {shown}"
    facts: Evidence = {"kept_in": places[:8], "trained_but_not_saved": parameters(lost)}
    hint = "register them (ModuleList, ModuleDict, an attribute), so that state_dict() has them"
    return MISSING.found(lost, text, facts, hint=hint)


# Another model in the file


def _twins(ledger: Ledger) -> list[Finding]:
    """A trained model in no file, and in its place one of the same names and shapes of which no bit moved."""
    models: dict[str, list[TensorRow]] = {}
    for tensor_row in ledger.tensors:
        models.setdefault(tensor_row.model, []).append(tensor_row)
    found = []
    for model, rows in models.items():
        trained = [row for row in rows if row.changed.verdict == "yes" and row.kind == "parameter"]
        if not trained or any(row.saved is not None for row in rows):
            continue
        for other, theirs in models.items():
            still = all(row.changed.verdict == "no" and row.saved is not None for row in theirs)
            if other != model and still and _outline(rows) == _outline(theirs):
                copy = theirs[0].saved.copies[0] if theirs[0].saved is not None else None
                text = (
                    f"{tensors(theirs)} of {other} were written, and no bit of them moved; {model} was trained instead"
                )
                facts: Evidence = {"file": copy.file if copy else None, "written_at_step": copy.step if copy else None}
                found.append(OTHERS.found(trained, text, facts | {"tensors_of": other}))
    return found


def _outline(rows: Iterable[TensorRow]) -> set[tuple[str, tuple[int, ...]]]:
    return {(row.name.removeprefix(f"{row.model}."), row.shape) for row in rows}
