"""L6: what follows another tensor goes on following it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from frostline.core import facts
from frostline.core.amounts import several, tensors
from frostline.core.events.averages import CopyKept
from frostline.core.ledger import TensorRow
from frostline.laws.causes.cause import Evidence
from frostline.laws.causes.last_digits import last_place
from frostline.laws.causes.saved.copies import half_following
from frostline.laws.law import Law, Violation
from frostline.laws.observed_run import ObservedRun

UNITS = 4  # in the last place: what is further away than that is not the same
FAR = 0.05  # relative distance: a wide type would show a move towards what is so far away, at any rate in use
THIRD = 3  # of the steps
GAPS = 8  # as many times the mean time between two updates, without one
UPDATES = 3  # fewer have no mean time between them
FEWEST = 16  # values to judge by
MOST = 0.5
NARROW = ("bfloat16", "float16", "float8_e4m3fn", "float8_e5m2")
WIDER = "keep the average in float32: what (1 - decay) adds in one step is less than half of the last place here"
ONE_BY_ONE = "look at what updates the copy: a part of its tensors is left out"
STATISTICS = "average or copy the running statistics too, or estimate them anew for the copy: update_bn(loader, copy)"
STOPPED = "update the copy after each step, to the last"
NO_RATE = "look at the rate of the update: at decay 1 nothing of the new weights comes in"
NEVER = "call its update after each step; a copy that is to stay as it was is right so"


def violations(run: ObservedRun) -> Iterator[Violation]:
    """Copies of trained tensors that stopped following, follow in part or never did: in memory, then in files."""
    for event in run.events_of(CopyKept):
        kept = [row for name in event.tensors if (row := run.named.get(name)) is not None]
        if kept and any(_goes_on(name, run) for name in event.sources):
            yield from _kept(event, kept, run)
    for model, rows in run.models.items():
        yield from _in_files(model, rows)


def _goes_on(name: str, run: ObservedRun) -> bool:
    source = run.named.get(name)
    return source is not None and source.changed.verdict == "yes" and source.changed.still is None


def _kept(copy: CopyKept, rows: Sequence[TensorRow], run: ObservedRun) -> Iterator[Violation]:
    """What is wrong with a copy that the script keeps in memory, whose sources go on moving."""
    evidence: Evidence = {"copy": copy.name, "kept_in": copy.kind, "of": copy.model, "rate": copy.rate}
    evidence |= {"looked_at_from_step": copy.began, "moved_until_step": copy.moved_at, "writes": copy.written}
    if copy.moved_at is None:
        yield from _never_moved(copy, tuple(rows), evidence, run)
    elif _stopped(copy, run):
        steps = several(copy.step - copy.moved_at, "step")
        fact = (
            f"{copy.name}, {tensors(rows)} that followed {copy.model}, did not move after step {copy.moved_at:,}, and "
            f"{copy.model} went on for {steps}"
        )
        yield Violation(tuple(rows), fact, evidence, hint=STOPPED, apart=True)
    elif _rounded(copy):
        fact = (
            f"{copy.name}, a copy of {copy.model} in {copy.dtypes[0]}, was written to {several(copy.written, 'time')}, "
            f"and of its values that are far from those of {copy.model} {copy.unmoved / copy.far:.0%} never changed: "
            f"{copy.dtypes[0]} rounds small changes away"
        )
        yield Violation(tuple(rows), fact, evidence, hint=WIDER, apart=True)
    else:
        yield from _left_out(copy, rows, evidence, run)


def _never_moved(
    copy: CopyKept, rows: tuple[TensorRow, ...], evidence: Evidence, run: ObservedRun
) -> Iterator[Violation]:
    steps = copy.step - copy.began
    if steps < run.patience:
        return
    if copy.written >= UPDATES and _is_far(copy):
        narrow = any(dtype in NARROW for dtype in copy.dtypes)
        why = f": {copy.dtypes[0]} rounds small changes away" if narrow else ""
        fact = (
            f"{copy.name}, a copy of {copy.model}, was written to {several(copy.written, 'time')} in "
            f"{several(steps, 'step')}, and no bit of {tensors(rows)} changed{why}"
        )
        yield Violation(rows, fact, evidence, hint=WIDER if narrow else NO_RATE, apart=True)
    elif not copy.written and copy.called_average:
        fact = (
            f"{copy.name}, a copy of {copy.model}, has the bits of step {copy.began:,} in all of {tensors(rows)}: "
            f"nothing wrote to it in {several(steps, 'step')}"
        )
        yield Violation(rows, fact, evidence, hint=NEVER, apart=True, severity="note")


def _is_far(copy: CopyKept) -> bool:
    """Whether any tensor is so far from its source that a move towards that would show in its type."""
    units = max(UNITS * last_place(dtype) for dtype in copy.dtypes)
    return max(copy.apart, default=0.0) > (units if copy.dtypes[0] in NARROW else FAR)


def _rounded(copy: CopyKept) -> bool:
    """Whether most values of an average in a narrow type stayed where they were, however far their sources went."""
    narrow = all(dtype in NARROW for dtype in copy.dtypes)
    return narrow and copy.written >= UPDATES and copy.far >= FEWEST and copy.unmoved > copy.far * MOST


def _stopped(copy: CopyKept, run: ObservedRun) -> bool:
    """Whether what was seen to follow has not moved for much longer than it takes from one update to the next."""
    if copy.rate is None or copy.moved_at is None or copy.written < UPDATES:
        return False
    gap = (copy.moved_at - copy.began) / copy.written
    return copy.step - copy.moved_at >= max(run.patience, copy.step / THIRD, GAPS * gap)


def _left_out(copy: CopyKept, rows: Sequence[TensorRow], evidence: Evidence, run: ObservedRun) -> Iterator[Violation]:
    """Tensors of a copy that kept their bits, though at the rate of the others they had moved by more than rounding."""
    apart = dict(zip(copy.tensors, copy.apart, strict=True))
    sources = dict(zip(copy.tensors, copy.sources, strict=True))
    still = [
        row
        for row in rows
        if row.name in copy.still
        and copy.rate is not None
        and copy.rate * apart[row.name] > UNITS * last_place(row.dtype)
    ]
    statistics = [row for row in still if run.named[sources[row.name]].kind == "buffer"]
    weights = [row for row in still if row not in statistics]
    others = len(copy.tensors) - len(copy.still)
    for left, hint in ((weights, ONE_BY_ONE), (statistics, STATISTICS)):
        if left and others:
            fact = (
                f"{copy.name}, a copy of {copy.model}, follows it in {several(others, 'tensor')} and not in "
                f"{tensors(left)}, which have the bits of step {copy.began:,}"
            )
            yield Violation(
                tuple(left), fact, evidence, hint=hint, apart=True, severity="warning" if left is statistics else None
            )


def _in_files(model: str, rows: Sequence[TensorRow]) -> Iterator[Violation]:
    """Copies in files of which some tensors went their own way and the others have the first bits of their sources."""
    for copy, still, moved in half_following(rows):
        narrow = copy.dtype in NARROW
        fact = (
            f"{copy.file} holds {copy.origin}, a copy of {model} that was updated in {tensors(moved)} and not in "
            f"{tensors(still)}, which have the bits from before training"
        )
        why = f": {copy.dtype} rounds small changes away" if narrow else ""
        evidence: Evidence = {
            "file": copy.file,
            "written_at_step": copy.step,
            "copy": copy.origin,
            "type": copy.dtype,
        }
        yield Violation(tuple(still), fact + why, evidence, hint=WIDER if narrow else ONE_BY_ONE, apart=True)


LAW = Law(
    "L6",
    "following",
    "error",
    statement="A tensor that follows another (an average, a target, a copy) goes on following it, and is the same "
    "storage only on purpose.",
    matters="A target that stopped or an average that rounding holds still is used as if it were up to date.",
    remedy="update the copy after each step, in a type that is wide enough for its rate",
    needs=(
        facts.Followed,
        facts.CopyKept,
        facts.Moved,
        facts.MoveExplained,
        facts.SavedSettled,
    ),
    cannot_see="Averages that only a closure or a library's own memory holds; an average in a type of its own that "
    "stops; those that begin between two searches for copies and end before the next.",
    violations=violations,
)
