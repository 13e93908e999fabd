"""S604: files whose values are not those of the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from frostline.core.amounts import several, tensors, were
from frostline.core.columns.saved import Copy, CopyState
from frostline.core.ledger import TensorRow
from frostline.laws.causes.cause import Case, Cause, Evidence, Mitigation
from frostline.laws.causes.saved.copies import changed, copies, from_before
from frostline.laws.causes.saved.words import words
from frostline.laws.observed_run import ObservedRun

Wrong = list[tuple[TensorRow, Copy]]
WRONGS: tuple[tuple[CopyState, str], ...] = (
    ("zero", "holds zeros for {} of {}, whose values are not zero in memory"),
    ("overflow", "has values that are not finite in {} of {}: they do not fit into {}"),
    ("fewer-rows", "has only the first rows of {} of {}: {}"),
)


def _cases(run: ObservedRun) -> Iterator[Case]:
    for model, rows in run.models.items():
        trained = changed(rows)
        old = from_before(rows)
        untrained = copies(old[0], "first")[0].file if old else None
        for state, text in WRONGS:
            wrong = _wrong(trained, state, untrained)
            if wrong:
                yield _case(model, wrong, text)
        yield from _not_a_copy(model, trained, words(run).copied)
        if run.ledger.run.rank is None:  # one rank alone knows nothing of the files of the others
            yield from _in_part(model, trained)


def _wrong(trained: Sequence[TensorRow], state: CopyState, untrained: str | None) -> Wrong:
    """Copies in this state; zeros in a file that is ``untrained`` as a whole are only what it began with."""
    wrong = [(row, copy) for row in trained for copy in copies(row, state)]
    if state == "zero":
        return [(row, copy) for row, copy in wrong if copy.file != untrained]
    if state == "fewer-rows":  # a longer copy elsewhere will do
        return _without_spare(
            [(row, copy) for row, copy in wrong if row.saved is not None and row.saved.state == state]
        )
    return wrong


def _without_spare(wrong: Wrong) -> Wrong:
    """Leave out rows of no effect, as of an adapter whose rank was cut: zero, or beside rows of one module that are."""
    spare = {(_around(row), row.shape[0], copy.rows) for row, copy in wrong if copy.rest_zero}
    return [(row, copy) for row, copy in wrong if (_around(row), row.shape[0], copy.rows) not in spare]


def _around(row: TensorRow) -> tuple[str, str]:
    """The model, and the module around the one that holds the tensor."""
    return row.model, row.owner.path.rpartition(".")[0]


def _case(model: str, wrong: Wrong, text: str) -> Case:
    rows, (row, copy) = [row for row, _ in wrong], wrong[0]
    what = f"{copy.rows:,} of {row.shape[0]:,}" if copy.rows is not None else copy.dtype
    evidence: Evidence = {"file": copy.file, "written_at_step": copy.step, "type": copy.dtype, "rows": copy.rows}
    return Case(rows, f"{copy.file} {text.format(tensors(rows), model, what)}", evidence)


def _not_a_copy(model: str, trained: Sequence[TensorRow], hint: str) -> Iterator[Case]:
    """A state that the script took at one step and wrote at a later one, and that was live memory all the while."""
    kept = [
        (row, copy) for row in trained for copy in copies(row) if copy.taken is not None and 0 < copy.taken < copy.step
    ]
    if kept:
        rows = list({row.name: row for row, _ in kept}.values())
        files = sorted({(copy.step, copy.taken, copy.file) for _, copy in kept if copy.taken is not None})
        (step, taken, file), copy = files[0], min((copy for _, copy in kept), key=lambda copy: copy.step)
        also = f", and {several(len(files) - 1, 'later file')} likewise" if len(files) > 1 else ""
        yield Case(
            rows,
            f"the state of {model} that was taken after step {taken:,} is no copy: "
            f"{tensors(rows)} {were(len(rows))} written to {file} as they were after step {step:,}{also}",
            {
                "file": file,
                "taken_at_step": taken,
                "written_at_step": step,
                "later_files": [
                    f"{name}: taken after step {was:,}, written after {at:,}" for at, was, name in files[1:]
                ]
                or None,
            },
            hint=hint,
            mitigated=LATER_STEP.proven(copy),
        )


def _in_part(model: str, trained: Sequence[TensorRow]) -> Iterator[Case]:
    """Sharded tensors of which the files of all processes hold some parts, and no file the rest."""
    lost = [(row, row.saved) for row in trained if row.saved is not None and row.saved.state == "part"]
    if lost:
        rows, (row, saved) = [row for row, _ in lost], lost[0]
        files, places = sorted({copy.file for copy in saved.copies}), sorted({copy.part for copy in saved.copies})
        yield Case(
            rows,
            f"{' and '.join(files)} {'hold' if len(files) > 1 else 'holds'} only a part of {tensors(rows)} of {model}: "
            "the shards of some processes. torch.distributed.checkpoint writes all, a full state dict the whole",
            {"file": files[0], "written_at_step": saved.copies[0].step, "tensor": row.name, "parts": places},
        )


LATER_STEP = Mitigation[Copy](
    "a later step",
    "The file holds what memory held when it was written, and not what the script took before.",
    lambda copy: f"the bits are those of memory after step {copy.step:,}",
    severity="warning",
)
DIFFER = Cause(
    code="S604",
    slug="saved-values-differ",
    severity="error",
    law="L9",
    means="The values in the file are not those of the model: zeros, infinities, fewer rows, or those of another step.",
    matters="Names and shapes are right, so that everything loads; only the values are wrong.",
    remedy="compare the file with the model before it is trusted: frostline show FILE, or load it and evaluate again",
    tells_apart="Rounding to a smaller type is no difference; averages and earlier copies are values of their own. "
    "Rows that are left out are no loss where they are zero, or where those of a partner in the same module are.",
    mitigations=(LATER_STEP,),
    cases=_cases,
)
