"""M: what the user said should happen, against what did."""

from __future__ import annotations

from collections.abc import Iterable

from frostline.core.ledger import Ledger, TensorRow
from frostline.core.names.patterns import looks_like_prefix, matching
from frostline.core.record import Finding
from frostline.errors import did_you_mean
from frostline.rules.rule import Evidence, Rule, several, tensors

CHANGED = Rule(
    "M501",
    "expected-frozen-but-changed",
    "error",
    "L1",
    means="A tensor that you said should stay frozen has other bits than before.",
    matters="Whatever the flags say, the promise is broken.",
    remedy="look at the flag and at the optimizer that moved it, both named here",
    tells_apart="Fires where no more specific cause (an F rule) explains the move.",
)
UNCHANGED = Rule(
    "M502",
    "expected-trained-but-unchanged",
    "error",
    "L2",
    means="A tensor that you said should be trained did not change.",
    matters="The part of the model that the run was for did not learn.",
    remedy="look at its optimizer, its gradient and its flag, named here",
    tells_apart="Fires where no more specific cause (a T rule) explains it.",
)
NO_MATCH = Rule(
    "M503",
    "pattern-matches-nothing",
    "error",
    "L12",
    means="A pattern of yours matches no tensor.",
    matters="What it should guard is not guarded; a typing error reads like a passed check.",
    remedy="compare the pattern with the names in the table",
    tells_apart="No tensor and no module has such a name.",
)
EXPECTED_FROZEN = Rule(
    "M504",
    "expected-frozen-but-trainable",
    "warning",
    "L1",
    means="A tensor that you said should be frozen is declared trainable; it has not moved yet.",
    matters="Nothing but luck keeps it where it is.",
    remedy="turn its flag off",
    tells_apart="The bits did not move: when they do, it is M501.",
)
EXPECTED_TRAINED = Rule(
    "M504",
    "expected-trained-but-frozen",
    "error",
    "L2",
    means="A tensor that you said should be trained is declared frozen, and did not change.",
    matters="A name or filter missed it, or something froze it again.",
    remedy="turn its flag on before the optimizer or the compiled step is made",
    tells_apart="The flag explains the stillness: with the flag on it is M502 or a T rule.",
)
MATCHES_MORE = Rule(
    "M505",
    "pattern-matches-more-than-it-says",
    "note",
    "L12",
    means="A pattern that ends in a number also matches longer numbers.",
    matters="layer.1* also means layer.10 and layer.11.",
    remedy="end the pattern with a dot and stars: layer.1.**",
    tells_apart="The tensors listed are those with the longer number.",
)

RULES = (CHANGED, UNCHANGED, NO_MATCH, EXPECTED_FROZEN, EXPECTED_TRAINED, MATCHES_MORE)


def find(ledger: Ledger, explained: Iterable[Finding] = ()) -> list[Finding]:
    """Compare the patterns with the columns; tensors that another error already explains are left to it."""
    known = {name for finding in explained if finding.severity == "error" for name in finding.tensors}
    found = [*_patterns(ledger)]
    for rule, rows in _broken(ledger, known).values():
        found.append(rule.found(rows, _fact(rule, rows), _evidence(rows)))
    return found


def _broken(ledger: Ledger, known: set[str]) -> dict[tuple[str, str, bool], tuple[Rule, list[TensorRow]]]:
    groups: dict[tuple[str, str, bool], tuple[Rule, list[TensorRow]]] = {}
    for row in ledger.tensors:
        rule = _broken_promise(row)
        if rule is not None and row.name not in known and not goes_with_source(row, ledger):
            key = (rule.slug, row.expected_pattern or "", _is_frozen(row))
            groups.setdefault(key, (rule, []))[1].append(row)
    return groups


def _is_frozen(row: TensorRow) -> bool:
    """What the flags say: of statistics, those of the layers around them."""
    return row.owner.frozen_subtree is not None if row.kind == "buffer" else row.declared.trainable is False


def _broken_promise(row: TensorRow) -> Rule | None:
    if row.expected == "frozen":
        if row.changed.verdict == "yes":
            return CHANGED
        return EXPECTED_FROZEN if row.declared.trainable else None
    if row.expected == "trained" and row.changed.verdict == "no":
        return EXPECTED_TRAINED if row.declared.trainable is False else UNCHANGED
    return None


def goes_with_source(row: TensorRow, ledger: Ledger) -> bool:
    """Whether the tensor is a weight of an averaged copy, whose other weights were seen to follow their sources.

    Such a weight stands still when its source does, or moves by less than rounding.
    """
    if row.kind == "buffer" or row.expected != "trained":
        return False
    return row.changed.near is not None and any(
        other.changed.followed and row.name.startswith(_own_prefix(other.name, other.changed.followed))
        for other in ledger.tensors
    )


def _own_prefix(name: str, source: str) -> str:
    """A dotted name without the longest ending that it shares with its source."""
    mine, theirs = name.split("."), source.split(".")
    while mine and theirs and mine[-1] == theirs[-1]:
        mine.pop()
        theirs.pop()
    return "".join(f"{part}." for part in mine)


def _patterns(ledger: Ledger) -> list[Finding]:
    names = [[row.name, *row.aliases, *row.former_aliases] for row in ledger.tensors]
    flat = [name for known in names for name in known]
    found = []
    for meaning, patterns in (("frozen", ledger.expected.frozen), ("trained", ledger.expected.trained)):
        for pattern in patterns:
            hit = matching(pattern, names)
            if not hit:
                near = did_you_mean(pattern, [*flat, *_modules(flat)])
                said = f"the pattern '{pattern}' (expected {meaning}) matches none of {several(len(flat), 'name')}"
                evidence: Evidence = {"pattern": pattern, "expected": meaning}
                found.append(NO_MATCH.found([], said, evidence, hint=near or NO_MATCH.remedy))
            longer = looks_like_prefix(pattern, flat)
            if longer:
                found.append(
                    MATCHES_MORE.found(
                        longer,
                        f"the pattern '{pattern}' also matches {several(len(longer), 'name')} with a longer number",
                        {"pattern": pattern, "matched": len(hit)},
                    )
                )  # fmt: skip
    return found


def _modules(names: list[str]) -> list[str]:
    """Every module path above the names, with and without the model's own name."""
    paths = set()
    for name in names:
        parts = name.split(".")
        for start in (0, 1):
            for stop in range(start + 1, len(parts)):
                paths.add(".".join(parts[start:stop]))
    return sorted(paths)


def _fact(rule: Rule, rows: list[TensorRow]) -> str:
    what = f"{tensors(rows)} expected {rows[0].expected} ({rows[0].expected_pattern})"
    match rule.slug:
        case "expected-frozen-but-changed":
            first = min(row.changed.first_step or 0 for row in rows)
            flag = "declared frozen" if _is_frozen(rows[0]) else "declared trainable"
            ons = [flip.step for flip in rows[0].declared.flips if flip.now]
            since = f" since a flip before step {ons[-1]}" if ons and flag == "declared trainable" else ""
            return f"{what} moved (first seen at step {first}); {flag}{since}"
        case "expected-frozen-but-trainable":
            return f"{what} are declared trainable"
        case "expected-trained-but-frozen":
            return f"{what} are declared frozen and did not change"
    return f"{what} did not change"


def _evidence(rows: list[TensorRow]) -> dict[str, str | int | float | bool | list[str] | None]:
    row = rows[0]
    return {
        "tensor": row.name,
        "pattern": row.expected_pattern,
        "flag": row.declared.trainable,
        "flips": [f"{'on' if flip.now else 'off'} before step {flip.step}" for flip in row.declared.flips] or None,
        "held_by": [holding.optimizer for holding in row.optimizers if holding.listed] or None,
        "moved_in": row.changed.during or None,
        "first_step": row.changed.first_step,
        "checks": row.changed.checks,
    }
