"""T: declared trainable, yet no bit changed after the executed steps."""

from __future__ import annotations

from collections.abc import Iterable

from frostline.core.ledger import HALF_UNIT, LeafRow, Ledger
from frostline.core.record import Finding, Severity
from frostline.rules import astray, idle, missing
from frostline.rules.beside import factor_of_zeros
from frostline.rules.idle import NOTHING
from frostline.rules.rule import Evidence, Rule, tensors
from frostline.rules.trainable_causes import (
    NO_GRADIENT,
    OTHER_TENSORS,
    RULES,
    UNCHANGED,
    UNFROZEN_LATE,
    ZERO_GRADIENT,
    cause,
    is_norm_left_out,
    is_pretrained,
    is_used,
)

__all__ = ["RULES", "find"]


def find(ledger: Ledger) -> list[Finding]:
    """Explain every leaf that should have moved and did not, then the programs that trained nothing."""
    groups: dict[tuple[str, Severity, str, str, bool, str], list[LeafRow]] = {}
    rules: dict[str, Rule] = {}
    for leaf in ledger.leaves:
        explained = cause(leaf, ledger)
        if explained is not None:
            rule, severity, where = explained
            rules[rule.slug] = rule
            why = _why(rule, leaf, where, ledger)
            groups.setdefault((rule.slug, severity, where, leaf.model, _is_noise(leaf), why), []).append(leaf)
    found = [
        rules[slug].found(
            leaves,
            _fact(rules[slug], where, leaves, why, ledger),
            _evidence(leaves, ledger),
            severity=severity,
            hint=_hint(rules[slug], leaves[0], ledger),
        )
        for (slug, severity, where, *_, why), leaves in groups.items()
    ]
    return found + idle.find(ledger, {name for finding in found for name in finding.tensors})


def _why(rule: Rule, leaf: LeafRow, where: str, ledger: Ledger) -> str:
    if rule is OTHER_TENSORS:
        return _astray(leaf, where, ledger)
    if rule is NOTHING:
        return ", and the model was used all the same" if is_used(leaf, ledger) else ""
    if rule is ZERO_GRADIENT:
        return missing.TAKEN_AWAY if leaf.cleared else ""
    return missing.how(leaf, ledger) if rule is NO_GRADIENT else ""


def _astray(leaf: LeafRow, where: str, ledger: Ledger) -> str:
    """Since when the leaf stood still, and what the program has in its place."""
    gone_on = astray.gone_on(leaf, ledger) if leaf.changed.verdict == "yes" else None
    if gone_on is not None and leaf.stranded_at is not None:
        since = f"kept every bit since they were replaced at step {gone_on[1]}"
        return f"{since}: {where} holds the former ones, which no model has"
    if gone_on is not None:
        return f"are in no step since step {gone_on[1]}: {where} holds copies, which no model has"
    exchanged = astray.exchanged(leaf, ledger)
    others = f"those of {exchanged[1].model}" if exchanged else "other tensors, which no model has"
    return f"kept every bit: {where} holds {others}"


def _is_noise(leaf: LeafRow) -> bool:
    return any(wire.negligible for wire in leaf.wired)


def _fact(rule: Rule, where: str, leaves: list[LeafRow], why: str, ledger: Ledger) -> str:
    what = f"{tensors(leaves)} declared trainable"
    by = f" by {where}" if where else ""
    match rule.slug:
        case "moved-by-decay-alone":
            return f"{what} moved{by} by weight decay alone"
        case "optimizer-holds-other-tensors":
            return f"{what} {why}"
        case "not-in-any-optimizer" if all(leaf.as_buffer for leaf in leaves):
            return f"{what} kept every bit: parameters() does not list a buffer, and no optimizer holds them"
        case "not-in-any-optimizer":
            return f"{what} kept every bit: no optimizer holds them"
        case "unregistered-tensor":
            return f"{what} kept every bit: the model does not list them"
        case "never-tracked" if any(is_pretrained(leaf) for leaf in leaves):
            return f"{what} kept every bit: the model does not track their layer, which was trained before or loaded"
        case "never-tracked":
            return f"{what} kept every bit: the model does not track the layer that owns them"
        case "unfrozen-after-compile":
            return f"{what} kept every bit since they were unfrozen: the step was made before"
        case "no-gradient":
            return f"{what} and held{by} kept every bit: no gradient arrived ({why})"
        case "nothing-trained":
            return f"{what} and held{by} kept every bit: the new values of its steps were never assigned{why}"
        case "zero-gradient" if _is_noise(leaves[0]):
            return f"{what} and held{by} kept every bit: the gradient is rounding noise beside the others"
        case "zero-gradient" if factor_of_zeros(leaves[0], ledger):
            return f"{what} and held{by} kept every bit: all zeros, and so is the weight they are multiplied with"
        case "zero-gradient" if why:
            return f"{what} and held{by} kept every bit: their gradient was zero ({why})"
        case "zero-gradient" if any(wire.concluded for wire in leaves[0].wired):
            return f"{what} and held{by} kept every bit: the gradient, not seen itself, was zero or lost in rounding"
        case "update-rounded-away" if leaves[0].wired[0].concluded and _loses_small_gradients(leaves[0]):
            rate = leaves[0].wired[0].max_lr
            return f"{what} and held{by} kept every bit: at lr {rate:g} a gradient of 1 is lost in {leaves[0].dtype}"
        case "update-rounded-away" if leaves[0].wired[0].passed:
            return (
                f"{what} and held{by} kept every bit: layers in front of it moved, its own steps are lost in rounding"
            )
        case "update-rounded-away" if leaves[0].wired[0].concluded:
            return f"{what} and held{by} kept every bit: the rest of the layer moved, their steps are lost in rounding"
    return f"{what} and held{by} kept every bit"


def _loses_small_gradients(leaf: LeafRow) -> bool:
    return (leaf.wired[0].update_ulp or 0.0) <= HALF_UNIT


def _hint(rule: Rule, leaf: LeafRow, ledger: Ledger) -> str | None:
    """What to do where the rule's own remedy is too general."""
    if rule is ZERO_GRADIENT and _is_noise(leaf):
        return "a bias in front of a normalisation is taken out again by it: leave it, or make the layer without one"
    if rule is ZERO_GRADIENT and factor_of_zeros(leaf, ledger):
        return "draw one of the two at random again; Keras sets both halves of an adapter to zero when a file is loaded"
    if rule is NO_GRADIENT and missing.is_kept_fixed(leaf, ledger):
        return "right for a fixed network such as a teacher: freeze it by flag, or do not list it, so that it shows"
    if rule in (NO_GRADIENT, ZERO_GRADIENT) and leaf.cleared:
        if missing.is_held_back(leaf, ledger):
            return "right where they were meant to stay: freeze them by flag, so that it shows"
        return "leave gradients alone between the backward pass and the step: no zero_grad there, no clipping to 0"
    if rule is UNFROZEN_LATE and is_norm_left_out(leaf, ledger):
        return "right where normalisations were meant to stay: freeze them by flag too, so that it shows"
    if rule is NOTHING and ledger.program(leaf.wired[0].program).trains_model:
        return "return the new variables from train_step, in the place of those that it was given"
    if rule is NOTHING:
        return "assign what the step hands back to the model's variables before you save, evaluate or call it"
    if rule is not UNCHANGED:
        return None
    if all(wire.gradients.keys() == {"unknown"} for wire in leaf.wired):
        return "a compiled step hides its gradients: compile(run_eagerly=True) and run again to see them"
    return None


def _evidence(leaves: Iterable[LeafRow], ledger: Ledger) -> Evidence:
    leaf = next(iter(leaves))
    evidence: Evidence = {
        "leaf": leaf.name,
        "checks": leaf.changed.checks,
        "unchanged_until_step": leaf.changed.checked_until,
        "flag_at_first_look": leaf.declared.first,
        "flips": [f"{'on' if flip.now else 'off'} before step {flip.step}" for flip in leaf.declared.flips] or None,
        "dtype": leaf.dtype,
        "reached_by_backward": leaf.reached_by_backward,
        "called": leaf.owner.called,
        "recorded": leaf.owner.recorded,
    }
    for wire in leaf.wired[:1]:
        program = ledger.program(wire.program)
        evidence |= {
            "program": wire.program,
            "group": wire.group,
            "steps_executed": program.steps_executed,
            "steps_skipped": program.steps_skipped or None,
            "lr": wire.lr,
            "largest_lr": wire.max_lr,
            "weight_decay": wire.weight_decay,
            "gradients_at_checks": ", ".join(f"{state} {count}" for state, count in wire.gradients.items()) or None,
            "flag_when_captured": wire.captured,
            "largest_update_ulp": wire.update_ulp,
        }
    return evidence
