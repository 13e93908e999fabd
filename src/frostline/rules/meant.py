"""M: what the user said should happen, against what did."""

from __future__ import annotations

from collections.abc import Iterable

from frostline.core.ledger import LeafRow, Ledger
from frostline.core.patterns import looks_like_prefix, matching
from frostline.core.record import Finding
from frostline.errors import did_you_mean
from frostline.rules.rule import Rule, several, tensors

CHANGED = Rule(
    "M501",
    "meant-frozen-but-changed",
    "error",
    means="A leaf that you said should stay frozen has other bits than before.",
    matters="Whatever the flags say, the promise is broken.",
    remedy="look at the flag and at the program that moved it, both named here",
    tells_apart="Fires where no more specific cause (an F rule) explains the move.",
)
UNCHANGED = Rule(
    "M502",
    "meant-trained-but-unchanged",
    "error",
    means="A leaf that you said should be trained kept every bit.",
    matters="The part of the model that the run was for did not learn.",
    remedy="look at its optimizer, its gradient and its flag, named here",
    tells_apart="Fires where no more specific cause (a T rule) explains it.",
)
NO_MATCH = Rule(
    "M503",
    "pattern-matches-nothing",
    "error",
    means="A pattern of yours matches no leaf.",
    matters="What it should guard is not guarded; a typing error reads like a passed check.",
    remedy="compare the pattern with the names in the table",
    tells_apart="No leaf and no module has such a name.",
)
MEANT_FROZEN = Rule(
    "M504",
    "meant-frozen-but-trainable",
    "warning",
    means="A leaf that you said should be frozen is declared trainable; it has not moved yet.",
    matters="Nothing but luck keeps it where it is.",
    remedy="turn its flag off",
    tells_apart="The bits did not move: when they do, it is M501.",
)
MEANT_TRAINED = Rule(
    "M504",
    "meant-trained-but-frozen",
    "error",
    means="A leaf that you said should be trained is declared frozen, and kept every bit.",
    matters="A name or filter missed it, or something froze it again.",
    remedy="turn its flag on before the optimizer or the compiled step is made",
    tells_apart="The flag explains the stillness: with the flag on it is M502 or a T rule.",
)
MATCHES_MORE = Rule(
    "M505",
    "pattern-matches-more-than-it-says",
    "note",
    means="A pattern that ends in a number also matches longer numbers.",
    matters="layer.1* also means layer.10 and layer.11.",
    remedy="end the pattern with a dot and stars: layer.1.**",
    tells_apart="The leaves listed are those with the longer number.",
)

RULES = (CHANGED, UNCHANGED, NO_MATCH, MEANT_FROZEN, MEANT_TRAINED, MATCHES_MORE)


def find(ledger: Ledger, explained: Iterable[Finding] = ()) -> list[Finding]:
    """Compare the patterns with the columns; leaves that another error already explains are left to it."""
    known = {name for finding in explained if finding.severity == "error" for name in finding.tensors}
    found = [*_patterns(ledger)]
    for rule, leaves in _broken(ledger, known).values():
        found.append(rule.found(leaves, _fact(rule, leaves), _evidence(leaves)))
    return found


def _broken(ledger: Ledger, known: set[str]) -> dict[tuple[str, str, bool], tuple[Rule, list[LeafRow]]]:
    groups: dict[tuple[str, str, bool], tuple[Rule, list[LeafRow]]] = {}
    for leaf in ledger.leaves:
        rule = _broken_promise(leaf)
        if rule is not None and leaf.name not in known and not _goes_with_source(leaf, ledger):
            key = (rule.slug, leaf.meant_pattern or "", _is_frozen(leaf))
            groups.setdefault(key, (rule, []))[1].append(leaf)
    return groups


def _is_frozen(leaf: LeafRow) -> bool:
    """What the flags say: of statistics, those of the layers around them."""
    return leaf.owner.frozen_subtree is not None if leaf.kind == "buffer" else leaf.declared.trainable is False


def _broken_promise(leaf: LeafRow) -> Rule | None:
    if leaf.meant == "frozen":
        if leaf.changed.verdict == "yes":
            return CHANGED
        return MEANT_FROZEN if leaf.declared.trainable else None
    if leaf.meant == "trained" and leaf.changed.verdict == "no":
        return MEANT_TRAINED if leaf.declared.trainable is False else UNCHANGED
    return None


def _goes_with_source(leaf: LeafRow, ledger: Ledger) -> bool:
    """Whether the leaf is a weight of an averaged copy, whose other weights were seen to follow their sources.

    Such a weight stands still when its source does, or moves by less than rounding.
    """
    if leaf.kind == "buffer" or leaf.meant != "trained":
        return False
    return leaf.changed.near is not None and any(
        other.changed.followed and leaf.name.startswith(_own_prefix(other.name, other.changed.followed))
        for other in ledger.leaves
    )


def _own_prefix(name: str, source: str) -> str:
    """A dotted name without the longest ending that it shares with its source."""
    mine, theirs = name.split("."), source.split(".")
    while mine and theirs and mine[-1] == theirs[-1]:
        mine.pop()
        theirs.pop()
    return "".join(f"{part}." for part in mine)


def _patterns(ledger: Ledger) -> list[Finding]:
    names = [[leaf.name, *leaf.aliases, *leaf.former_aliases] for leaf in ledger.leaves]
    flat = [name for known in names for name in known]
    found = []
    for meaning, patterns in (("frozen", ledger.meant.frozen), ("trained", ledger.meant.trained)):
        for pattern in patterns:
            hit = matching(pattern, names)
            if not hit:
                near = did_you_mean(pattern, [*flat, *_modules(flat)])
                found.append(
                    NO_MATCH.found(
                        [], f"the pattern '{pattern}' (meant {meaning}) matches none of {several(len(flat), 'name')}",
                        {"pattern": pattern, "meant": meaning}, hint=near or NO_MATCH.remedy,
                    )
                )  # fmt: skip
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


def _fact(rule: Rule, leaves: list[LeafRow]) -> str:
    what = f"{tensors(leaves)} meant {leaves[0].meant} ({leaves[0].meant_pattern})"
    match rule.slug:
        case "meant-frozen-but-changed":
            first = min(leaf.changed.first_step or 0 for leaf in leaves)
            flag = "declared frozen" if _is_frozen(leaves[0]) else "declared trainable"
            ons = [flip.step for flip in leaves[0].declared.flips if flip.now]
            since = f" since a flip before step {ons[-1]}" if ons and flag == "declared trainable" else ""
            return f"{what} moved (first seen at step {first}); {flag}{since}"
        case "meant-frozen-but-trainable":
            return f"{what} are declared trainable"
        case "meant-trained-but-frozen":
            return f"{what} are declared frozen and kept every bit"
    return f"{what} kept every bit"


def _evidence(leaves: list[LeafRow]) -> dict[str, str | int | float | bool | list[str] | None]:
    leaf = leaves[0]
    return {
        "leaf": leaf.name,
        "pattern": leaf.meant_pattern,
        "flag": leaf.declared.trainable,
        "flips": [f"{'on' if flip.now else 'off'} before step {flip.step}" for flip in leaf.declared.flips] or None,
        "held_by": [wire.program for wire in leaf.wired if wire.listed] or None,
        "moved_in": leaf.changed.during or None,
        "first_step": leaf.changed.first_step,
        "checks": leaf.changed.checks,
    }
