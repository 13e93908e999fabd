"""F: declared frozen, yet the bits changed."""

from __future__ import annotations

from frostline.core.ledger import CONVERTED, FULL_PRECISION, MERGED, UNMERGED, Ledger, Movement, TensorRow
from frostline.core.record import Finding, Severity
from frostline.rules.frozen.causes import AFTERWARDS, Causes, causes
from frostline.rules.frozen.rules import DECAYED, FROZEN_BUT_CHANGED, REWRITTEN_OUTSIDE, RULES, STALE_STEP, STATISTICS
from frostline.rules.rule import Evidence, Rule, tensors
from frostline.rules.traced import shown

__all__ = ["RULES", "find"]

COUNTED = "nothing to do: batches are counted, and mean and variance did not change"
ASKED_FOR = "nothing to do where merging, exporting or converting was meant"
NOT_GIVEN_BACK = "keep a copy of the base and put it back, or use the adapters unmerged: rounding does not undo itself"
HINTS = {  # by rule and place, where the rule's own remedy is another
    ("frozen-but-rewritten-outside-step", MERGED): ASKED_FOR,
    ("frozen-but-rewritten-outside-step", AFTERWARDS): ASKED_FOR,
    ("frozen-but-rewritten-outside-step", UNMERGED): NOT_GIVEN_BACK,
    ("frozen-but-rewritten-outside-step", CONVERTED): "convert a copy of the model, or evaluate under torch.autocast",
    ("frozen-but-decayed", "outside"): "leave frozen weights out where the script multiplies its weights by a factor",
}


def find(ledger: Ledger) -> list[Finding]:
    """Group the tensors that moved while frozen by cause and place, one finding for each."""
    return _grouped(ledger, causes(ledger))


def _grouped(ledger: Ledger, known: Causes) -> list[Finding]:
    groups: dict[tuple[str, str, str], list[TensorRow]] = {}
    rules: dict[str, Rule] = {}
    for row in ledger.tensors:
        if row.name in known:
            (rule, where), _ = known[row.name]
            rules[rule.slug] = rule
            groups.setdefault((rule.slug, where, row.model), []).append(row)
    return [
        rules[slug].found(
            rows,
            _fact(rules[slug], where, rows, known),
            _evidence(rules[slug], rows, known),
            severity=_severity(rules[slug], where, rows, ledger),
            hint=_hint(rules[slug], where, rows, ledger),
        )
        for (slug, where, _), rows in groups.items()
    ]


def _hint(rule: Rule, where: str, rows: list[TensorRow], ledger: Ledger) -> str | None:
    """What to do where the rule's own remedy is too general."""
    if rule is STATISTICS and _counted(rows):
        return COUNTED
    if rule is DECAYED and shown(rows[0], "decayed", ledger):
        return "put set_to_zero last in the chain, or mask the weight decay"
    return HINTS.get((rule.slug, where))


def _severity(rule: Rule, where: str, rows: list[TensorRow], ledger: Ledger) -> Severity | None:
    """How grave it is, where that is not as the rule has it."""
    if where == UNMERGED and all(row.dtype in FULL_PRECISION for row in rows):
        return "note"  # the drift is of the last digits
    return "note" if _harmless(rule, where, rows, ledger) else None


def _harmless(rule: Rule, where: str, rows: list[TensorRow], ledger: Ledger) -> bool:
    """Whether the move is what the script asked for, or nothing that training did."""
    if rule is STALE_STEP:
        return _taking_turns(rows, where, ledger)
    if rule is STATISTICS:
        return _counted(rows)
    return rule is REWRITTEN_OUTSIDE and where in (MERGED, AFTERWARDS)


def _counted(rows: list[TensorRow]) -> bool:
    """Whether batches were counted and the statistics stayed, as with a momentum of 0: the outputs are the same."""
    return all(row.dtype.startswith("int") for row in rows)


def _taking_turns(rows: list[TensorRow], optimizer: str, ledger: Ledger) -> bool:
    """Whether the older step is meant: another model contains the tensors, was compiled with them frozen, and runs.

    That is how GANs were written while compiling was what took note of the flags.
    """
    others = [each for each in ledger.optimizers if each.id != optimizer and each.steps_executed and each.trains_model]
    return any(
        all(
            any(name.startswith(f"{other.trains_model}.") for name in (row.name, *row.aliases))
            and not any(holding.optimizer == other.id and holding.listed for holding in row.optimizers)
            for row in rows
        )
        for other in others
    )


def _fact(rule: Rule, where: str, rows: list[TensorRow], known: Causes) -> str:
    first = _first_step(rows, known)
    what = f"{tensors(rows)} declared frozen moved"
    match rule.slug:
        case "stale-compiled-step":
            return f"{what} inside {where}'s step, which was made when they were trainable (first seen at step {first})"
        case "frozen-flag-not-inherited":
            containers = sorted({row.declared.container or "" for row in rows})
            said = f"{', '.join(containers)} {'is' if len(containers) == 1 else 'are'} declared frozen"
            return f"{tensors(rows)} were trained by {where} although {said}"
        case "frozen-but-statistics-moved" if _counted(rows):
            return f"{tensors(rows)} of frozen layers counted batches, and their statistics stayed"
        case "frozen-but-statistics-moved":
            return f"running statistics of frozen layers moved in {tensors(rows)} (first seen at step {first})"
        case "frozen-but-rewritten-in-forward":
            return f"{what} in the forward pass of {rows[0].owner.type} (first seen at step {first})"
        case "frozen-but-rewritten-outside-step":
            if where == AFTERWARDS:
                then = rows[0].changed.movements[-1].since
                return f"{what} {where}, at step {then}; no optimizer that holds them stepped since"
            by = f" by {where}" if where != "outside" else ""
            by += ", which did not give the old bits back" if where == UNMERGED else ""
            return f"{what} outside every step and forward pass{by} (first seen at step {first})"
        case "frozen-but-decayed" if where == "outside":
            return f"{what} by decay that the script does by hand, outside every step (first seen at step {first})"
        case "frozen-but-tied-to-trained":
            return f"{what}: the same storage is trained under another name (first seen at step {first})"
    return f"{what} (first seen at step {first}, {where})"


def _first_step(rows: list[TensorRow], known: Causes) -> int:
    """The executed step by which a move was first seen, be it one that told less than the one that is shown."""
    moves = [move for row in rows for move in row.changed.movements if move.trainable is False]
    return min(move.until for move in [*moves, *(known[row.name][1] for row in rows)])


def _evidence(rule: Rule, rows: list[TensorRow], known: Causes) -> Evidence:
    row = max(rows, key=lambda each: known[each.name][1].shift is not None)
    move = known[row.name][1]
    shift, declared = move.shift, row.declared
    evidence: Evidence = {
        "tensor": row.name,
        "first_step": _first_step(rows, known),
        "interval": f"after step {move.since} to step {move.until}",
        "place": move.place,
        "optimizer": move.optimizer,
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
        "same_storage": [*row.aliases, *row.overlaps] or None,
        "module": row.owner.type or None,
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
        evidence["ruled_out"] = _ruled_out(row, move)
    return evidence


def _ruled_out(row: TensorRow, move: Movement) -> list[str]:
    """What can be excluded for a move of unknown cause, each with the reason."""
    out = []
    if not row.aliases and not row.overlaps:
        out.append("shared storage: no other tensor overlaps it")
    if not any(holding.listed for holding in row.optimizers):
        out.append("weight decay, momentum, stale gradient: no optimizer holds it")
    elif move.gradient == "none":
        out.append("stale gradient: there was none")
    if row.owner.role == "other":
        out.append(f"normalisation statistics: its owner is a {row.owner.type or 'plain tensor'}")
    return out
