"""F: declared frozen, yet the bits changed."""

from __future__ import annotations

from frostline.core.ledger import CONVERTED, MERGED, LeafRow, Ledger, Movement
from frostline.core.record import Finding
from frostline.rules.frozen_causes import (
    AFTERWARDS,
    FROZEN_BUT_CHANGED,
    REWRITTEN_OUTSIDE,
    RULES,
    STALE_STEP,
    STATISTICS,
    Causes,
    causes,
)
from frostline.rules.rule import Evidence, Rule, tensors

__all__ = ["RULES", "find"]

COUNTED = "nothing to do: batches are counted, and mean and variance kept every bit"
ASKED_FOR = "nothing to do where merging, exporting or converting was meant"
HINTS = {  # by rule and place, where the rule's own remedy is another
    ("frozen-but-rewritten-outside-step", MERGED): ASKED_FOR,
    ("frozen-but-rewritten-outside-step", AFTERWARDS): ASKED_FOR,
    ("frozen-but-rewritten-outside-step", CONVERTED): "convert a copy of the model, or evaluate under torch.autocast",
    ("frozen-but-decayed", "outside"): "leave frozen weights out where the script multiplies its weights by a factor",
}


def find(ledger: Ledger) -> list[Finding]:
    """Group the leaves that moved while frozen by cause and place, one finding for each."""
    return _grouped(ledger, causes(ledger))


def _grouped(ledger: Ledger, known: Causes) -> list[Finding]:
    groups: dict[tuple[str, str, str], list[LeafRow]] = {}
    rules: dict[str, Rule] = {}
    for leaf in ledger.leaves:
        if leaf.name in known:
            (rule, where), _ = known[leaf.name]
            rules[rule.slug] = rule
            groups.setdefault((rule.slug, where, leaf.model), []).append(leaf)
    return [
        rules[slug].found(
            leaves,
            _fact(rules[slug], where, leaves, known),
            _evidence(rules[slug], leaves, known),
            severity="note" if _harmless(rules[slug], where, leaves, ledger) else None,
            hint=COUNTED if rules[slug] is STATISTICS and _counted(leaves) else HINTS.get((slug, where)),
        )
        for (slug, where, _), leaves in groups.items()
    ]


def _harmless(rule: Rule, where: str, leaves: list[LeafRow], ledger: Ledger) -> bool:
    """Whether the move is what the script asked for, or nothing that training did."""
    if rule is STALE_STEP:
        return _taking_turns(leaves, where, ledger)
    if rule is STATISTICS:
        return _counted(leaves)
    return rule is REWRITTEN_OUTSIDE and where in (MERGED, AFTERWARDS)


def _counted(leaves: list[LeafRow]) -> bool:
    """Whether batches were counted and the statistics stayed, as with a momentum of 0: the outputs are the same."""
    return all(leaf.dtype.startswith("int") for leaf in leaves)


def _taking_turns(leaves: list[LeafRow], program: str, ledger: Ledger) -> bool:
    """Whether the older step is meant: another model contains the leaves, was compiled with them frozen, and runs.

    That is how GANs were written while compiling was what took note of the flags.
    """
    others = [each for each in ledger.programs if each.id != program and each.steps_executed and each.trains_model]
    return any(
        all(
            any(name.startswith(f"{other.trains_model}.") for name in (leaf.name, *leaf.aliases))
            and not any(wire.program == other.id and wire.listed for wire in leaf.wired)
            for leaf in leaves
        )
        for other in others
    )


def _fact(rule: Rule, where: str, leaves: list[LeafRow], known: Causes) -> str:
    first = _first_step(leaves, known)
    what = f"{tensors(leaves)} declared frozen moved"
    match rule.slug:
        case "stale-compiled-step":
            return f"{what} inside {where}'s step, which was made when they were trainable (first seen at step {first})"
        case "frozen-flag-not-inherited":
            containers = sorted({leaf.declared.container or "" for leaf in leaves})
            said = f"{', '.join(containers)} {'is' if len(containers) == 1 else 'are'} declared frozen"
            return f"{tensors(leaves)} were trained by {where} although {said}"
        case "frozen-but-statistics-moved" if _counted(leaves):
            return f"{tensors(leaves)} of frozen layers counted batches, and their statistics stayed"
        case "frozen-but-statistics-moved":
            return f"running statistics of frozen layers moved in {tensors(leaves)} (first seen at step {first})"
        case "frozen-but-rewritten-in-forward":
            return f"{what} in the forward pass of {leaves[0].owner.type} (first seen at step {first})"
        case "frozen-but-rewritten-outside-step":
            if where == AFTERWARDS:
                then = leaves[0].changed.movements[-1].since
                return f"{what} {where}, at step {then}; no program that holds them stepped since"
            by = f" by {where}" if where != "outside" else ""
            return f"{what} outside every step and forward pass{by} (first seen at step {first})"
        case "frozen-but-decayed" if where == "outside":
            return f"{what} by decay that the script does by hand, outside every step (first seen at step {first})"
        case "frozen-but-tied-to-trained":
            return f"{what}: the same storage is trained under another name (first seen at step {first})"
    return f"{what} (first seen at step {first}, {where})"


def _first_step(leaves: list[LeafRow], known: Causes) -> int:
    """The executed step by which a move was first seen, be it one that told less than the one that is shown."""
    moves = [move for leaf in leaves for move in leaf.changed.movements if move.trainable is False]
    return min(move.until for move in [*moves, *(known[leaf.name][1] for leaf in leaves)])


def _evidence(rule: Rule, leaves: list[LeafRow], known: Causes) -> Evidence:
    leaf = max(leaves, key=lambda each: known[each.name][1].shift is not None)
    move = known[leaf.name][1]
    shift, declared = move.shift, leaf.declared
    evidence: Evidence = {
        "leaf": leaf.name,
        "first_step": _first_step(leaves, known),
        "interval": f"after step {move.since} to step {move.until}",
        "place": move.place,
        "program": move.program,
        "flag": declared.trainable,
        "flag_at_first_look": declared.first,
        "flips": [f"{'on' if flip.now else 'off'} before step {flip.step}" for flip in declared.flips] or None,
        "training_mode": move.training,
        "gradient": move.gradient,
        "optimizer_state": move.state,
        "lr": move.lr,
        "weight_decay": move.weight_decay,
        "blocks_moved": f"{move.blocks_moved} of {move.blocks}",
        "container": declared.container,
        "same_storage": [*leaf.aliases, *leaf.overlaps] or None,
        "module": leaf.owner.type or None,
        "equals": move.equals,
        "resembles": move.resembles,
    }
    if shift is not None:
        evidence |= {
            "elements_moved": f"{shift.moved} of {shift.elements}",
            "largest_change": shift.max_abs,
            "largest_change_ulp": shift.max_ulp,
            "factor": shift.ratio,
        }
    if rule is FROZEN_BUT_CHANGED:
        evidence["ruled_out"] = _ruled_out(leaf, move)
    return evidence


def _ruled_out(leaf: LeafRow, move: Movement) -> list[str]:
    """What can be excluded for a move of unknown cause, each with the reason."""
    out = []
    if not leaf.aliases and not leaf.overlaps:
        out.append("shared storage: no other leaf overlaps it")
    if not any(wire.listed for wire in leaf.wired):
        out.append("weight decay, momentum, stale gradient: no program holds it")
    elif move.gradient == "none":
        out.append("stale gradient: there was none")
    if leaf.owner.role == "other":
        out.append(f"normalisation statistics: its owner is a {leaf.owner.type or 'plain tensor'}")
    return out
