"""M: what the user said should happen, against what did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from frostline.core.amounts import several, tensors
from frostline.core.averages import in_whole
from frostline.core.ledger import RowsSeen, TensorRow
from frostline.core.names.patterns import looks_like_prefix, matching
from frostline.core.record import Finding
from frostline.errors import did_you_mean
from frostline.laws.causes.cause import Case, Cause, Evidence, Mitigation, findings, flips_of, proven
from frostline.laws.causes.frozen.rows import evidence as rows_evidence
from frostline.laws.observed_run import ObservedRun

__all__ = ["CAUSES", "find", "goes_with_source"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenPromise(Cause):
    """A cause that breaks what the user said of a tensor; ``says`` is the end of its message."""

    is_broken: Callable[[TensorRow], bool]
    says: Callable[[Sequence[TensorRow]], str]


def find(run: ObservedRun, explained: Iterable[Finding] = ()) -> list[Finding]:
    """Compare the patterns with the columns; tensors that another error already explains are left to it."""
    known = {name for finding in explained if finding.severity == "error" for name in finding.tensors}
    groups: dict[tuple[str, str, bool, bool], tuple[BrokenPromise, list[TensorRow]]] = {}
    for row in run.tensors:
        promise = next((each for each in PROMISES if each.is_broken(row)), None)
        if promise is not None and row.name not in known and not goes_with_source(row, run):
            key = (promise.slug, row.expected_pattern or "", _is_frozen(row), _was_put_back(row) is not None)
            groups.setdefault(key, (promise, []))[1].append(row)
    return [
        *findings(CAUSES, run),
        *(promise.finding(_case(promise, rows)) for promise, rows in groups.values()),
    ]


def _case(promise: BrokenPromise, rows: list[TensorRow]) -> Case:
    what = f"{tensors(rows)} expected {rows[0].expected} ({rows[0].expected_pattern})"
    return Case(
        rows, f"{what} {promise.says(rows)}", _evidence(rows[0]), mitigated=proven(promise.mitigations, rows[0])
    )


def _was_put_back(row: TensorRow) -> str | None:
    """A step moved it, and the script gave it its first bits back before the next one."""
    if not row.changed.put_back:
        return None
    return f"had its first bits at the start of {several(row.changed.put_back, 'later check')}, and has them at the end"


def _evidence(row: TensorRow) -> Evidence:
    return {
        "tensor": row.name,
        "pattern": row.expected_pattern,
        "flag": row.declared.trainable,
        "flips": flips_of(row),
        "held_by": [holding.optimizer for holding in row.optimizers if holding.listed] or None,
        "moved_in": row.changed.during or None,
        "first_step": row.changed.first_step,
        "checks": row.changed.checks,
    }


def goes_with_source(row: TensorRow, run: ObservedRun) -> bool:
    """Whether the tensor is a weight of an averaged copy, whose other weights were seen to follow their sources.

    Such a weight stands still when its source does, or moves by less than rounding.
    """
    if row.kind == "buffer" or row.expected != "trained" or row.changed.near is None:
        return False
    return in_whole(row.name, run.copied_wholes)


def _is_frozen(row: TensorRow) -> bool:
    """What the flags say: of statistics, those of the layers around them."""
    return row.owner.frozen_subtree is not None if row.kind == "buffer" else row.declared.trainable is False


def _moved(rows: Sequence[TensorRow]) -> str:
    first = min(row.changed.first_step or 0 for row in rows)
    flag = "declared frozen" if _is_frozen(rows[0]) else "declared trainable"
    ons = [flip.step for flip in rows[0].declared.flips if flip.now]
    since = f" since a flip before step {ons[-1]}" if ons and flag == "declared trainable" else ""
    return f"moved (first seen at step {first}); {flag}{since}"


PUT_BACK = Mitigation(
    "put back",
    "Steps move it, and the script gives it its first bits back before the next step reads it.",
    _was_put_back,
    hint="right where the script means to undo each step; freezing the tensor saves the work",
)
CHANGED = BrokenPromise(
    code="M501",
    slug="expected-frozen-but-changed",
    severity="error",
    law="L1",
    means="A tensor that you said should stay frozen has other bits than before.",
    matters="Whatever the flags say, the promise is broken.",
    remedy="look at the flag and at the optimizer that moved it, both named here",
    tells_apart="Fires where no more specific cause (an F rule) explains the move.",
    mitigations=(PUT_BACK,),
    is_broken=lambda row: row.expected == "frozen" and row.changed.verdict == "yes",
    says=_moved,
)
EXPECTED_FROZEN = BrokenPromise(
    code="M504",
    slug="expected-frozen-but-trainable",
    severity="warning",
    law="L1",
    means="A tensor that you said should be frozen is declared trainable; it has not moved yet.",
    matters="Nothing but luck keeps it where it is.",
    remedy="turn its flag off",
    tells_apart="The bits did not move: when they do, it is M501.",
    is_broken=lambda row: row.expected == "frozen" and bool(row.declared.trainable),
    says=lambda rows: "are declared trainable",
)


def _stood_still(row: TensorRow) -> bool:
    return row.expected == "trained" and row.changed.verdict == "no"


EXPECTED_TRAINED = BrokenPromise(
    code="M506",
    slug="expected-trained-but-frozen",
    severity="error",
    law="L2",
    means="A tensor that you said should be trained is declared frozen, and did not change.",
    matters="A name or filter missed it, or something froze it again.",
    remedy="turn its flag on before the optimizer or the compiled step is made",
    tells_apart="The flag explains the stillness: with the flag on it is M502 or a T rule.",
    is_broken=lambda row: _stood_still(row) and row.declared.trainable is False,
    says=lambda rows: "are declared frozen and did not change",
)


def _rows_still(run: ObservedRun) -> Iterator[Case]:
    for row in run.tensors:
        for seen in row.rows:
            if seen.expected == "trained" and not seen.moved and row.changed.verdict != "unknown":
                yield Case([row], _which_rows(row, seen), rows_evidence(row, seen))


def _which_rows(row: TensorRow, seen: RowsSeen) -> str:
    return f"{several(seen.compared, 'row')} of {row.name} expected trained ({seen.pattern}) did not change"


UNCHANGED = BrokenPromise(
    code="M502",
    slug="expected-trained-but-unchanged",
    severity="error",
    law="L2",
    means="A tensor that you said should be trained did not change.",
    matters="The part of the model that the run was for did not learn.",
    remedy="look at its optimizer, its gradient and its flag, named here",
    tells_apart="Fires where no more specific cause (a T rule) explains it.",
    is_broken=_stood_still,
    says=lambda rows: "did not change",
    cases=_rows_still,
)
PROMISES = (CHANGED, EXPECTED_FROZEN, EXPECTED_TRAINED, UNCHANGED)


def _patterns(run: ObservedRun) -> Iterator[tuple[str, str]]:
    """The user's patterns, each with what it says of the tensors it names."""
    yield from (("frozen", pattern) for pattern in run.expected.frozen)
    yield from (("trained", pattern) for pattern in run.expected.trained)


def _names(run: ObservedRun) -> list[list[str]]:
    return [[row.name, *row.aliases, *row.former_aliases] for row in run.tensors]


def _flat(names: list[list[str]]) -> list[str]:
    return [name for known in names for name in known]


def _without_match(run: ObservedRun) -> Iterator[Case]:
    names = _names(run)
    for meaning, pattern in _patterns(run):
        if not matching(pattern, names):
            flat = _flat(names)
            yield Case(
                [],
                f"the pattern '{pattern}' (expected {meaning}) matches none of {several(len(flat), 'name')}",
                {"pattern": pattern, "expected": meaning},
                hint=did_you_mean(pattern.removesuffix(".**"), [*flat, *_modules(flat)]),
            )


def _modules(names: list[str]) -> list[str]:
    """Every module path above the names, with and without the model's own name."""
    paths = set()
    for name in names:
        parts = name.split(".")
        for start in (0, 1):
            for stop in range(start + 1, len(parts)):
                paths.add(".".join(parts[start:stop]))
    return sorted(paths)


NO_MATCH = Cause(
    code="M503",
    slug="pattern-matches-nothing",
    severity="error",
    law="L12",
    means="A pattern of yours matches no tensor.",
    matters="What it should guard is not guarded; a typing error reads like a passed check.",
    remedy="compare the pattern with the names in the table",
    tells_apart="No tensor and no module has such a name.",
    cases=_without_match,
)


def _with_longer_numbers(run: ObservedRun) -> Iterator[Case]:
    names = _names(run)
    for _, pattern in _patterns(run):
        longer = looks_like_prefix(pattern, _flat(names))
        if longer:
            yield Case(
                longer,
                f"the pattern '{pattern}' also matches {several(len(longer), 'name')} with a longer number",
                {"pattern": pattern, "matched": len(matching(pattern, names))},
            )


MATCHES_MORE = Cause(
    code="M505",
    slug="pattern-matches-more-than-it-says",
    severity="note",
    law="L12",
    means="A pattern that ends in a number also matches longer numbers.",
    matters="layer.1* also means layer.10 and layer.11.",
    remedy="end the pattern with a dot and stars: layer.1.**",
    tells_apart="The tensors listed are those with the longer number.",
    cases=_with_longer_numbers,
)

CAUSES = (*PROMISES, NO_MATCH, MATCHES_MORE)
