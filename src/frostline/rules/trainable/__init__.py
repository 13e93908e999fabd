"""T: declared trainable, yet no bit changed after the executed steps."""

from __future__ import annotations

from collections.abc import Iterable

from frostline.core.ledger import HALF_UNIT, Ledger, TensorRow
from frostline.core.record import Finding, Severity
from frostline.rules import traced
from frostline.rules.rule import NOT_LOOKED_FOR, Evidence, Rule, tensors
from frostline.rules.trainable import idle_optimizers, misdirected_optimizers, no_gradient
from frostline.rules.trainable.causes import cause, is_norm_left_out, is_pretrained, is_used
from frostline.rules.trainable.idle_optimizers import NOTHING
from frostline.rules.trainable.neighbours import factor_of_zeros
from frostline.rules.trainable.rules import NO_GRADIENT, OTHER_TENSORS, RULES, UNCHANGED, UNFROZEN_LATE, ZERO_GRADIENT

__all__ = ["RULES", "find"]


def find(ledger: Ledger) -> list[Finding]:
    """Explain every tensor that should have moved and did not, then the optimizers that trained nothing."""
    groups: dict[tuple[str, Severity, str, str, bool, str], list[TensorRow]] = {}
    rules: dict[str, Rule] = {}
    for row in ledger.tensors:
        explained = cause(row, ledger)
        if explained is not None:
            rule, severity, where = explained
            rules[rule.slug] = rule
            why = _why(rule, row, where, ledger)
            groups.setdefault((rule.slug, severity, where, row.model, _is_noise(row), why), []).append(row)
    found = [
        rules[slug].found(
            rows,
            _fact(rules[slug], where, rows, why, ledger),
            _evidence(rules[slug], rows, where, ledger),
            severity=severity,
            hint=_hint(rules[slug], rows[0], ledger),
        )
        for (slug, severity, where, *_, why), rows in groups.items()
    ]
    return found + idle_optimizers.find(ledger, {name for finding in found for name in finding.tensors})


def _why(rule: Rule, row: TensorRow, where: str, ledger: Ledger) -> str:
    if rule is OTHER_TENSORS:
        return _astray(row, where, ledger)
    if rule is NOTHING:
        return ", and the model was used all the same" if is_used(row, ledger) else ""
    if rule is traced.GRADIENT_UNUSED:
        return row.changed.verdict
    if rule is ZERO_GRADIENT:
        return no_gradient.TAKEN_AWAY if row.cleared else ""
    return no_gradient.how(row, ledger) if rule is NO_GRADIENT else ""


def _astray(row: TensorRow, where: str, ledger: Ledger) -> str:
    """Since when the tensor stood still, and what the optimizer has in its place."""
    gone_on = misdirected_optimizers.gone_on(row, ledger) if row.changed.verdict == "yes" else None
    if gone_on is not None and row.replaced_at is not None:
        since = f"did not change since they were replaced at step {gone_on[1]}"
        return f"{since}: {where} holds the former ones, which no model has"
    if gone_on is not None:
        return f"are in no step since step {gone_on[1]}: {where} holds copies, which no model has"
    if traced.shown(row, "gradient-elsewhere", ledger) is not None:
        return f"did not change: their gradients go into {where}, which updates other tensors of the same names"
    exchanged = misdirected_optimizers.exchanged(row, ledger)
    others = f"those of {exchanged[1].model}" if exchanged else "other tensors, which no model has"
    return f"did not change: {where} holds {others}"


def _is_noise(row: TensorRow) -> bool:
    return any(holding.negligible for holding in row.optimizers)


def _fact(rule: Rule, where: str, rows: list[TensorRow], why: str, ledger: Ledger) -> str:
    what = f"{tensors(rows)} declared trainable"
    by = f" by {where}" if where else ""
    match rule.slug:
        case "moved-by-decay-alone":
            return f"{what} moved{by} by weight decay alone"
        case "optimizer-holds-other-tensors":
            return f"{what} {why}"
        case "not-in-any-optimizer" if all(row.as_buffer for row in rows):
            return f"{what} did not change: parameters() does not list a buffer, and no optimizer holds them"
        case "not-in-any-optimizer":
            return f"{what} did not change: no optimizer holds them"
        case "unregistered-tensor":
            return f"{what} did not change: the model does not list them"
        case "result-dropped" if traced.shown(rows[0], "not-returned", ledger):
            return f"{what} did not change: {where} computes new values and does not return them"
        case "result-dropped":
            return f"{what} did not change: each next call of {where} was handed the values from before the step"
        case "captured-as-constant":
            return f"{what} did not change: {where} was compiled with them as constants"
        case "gradient-not-used" if why == "yes":
            return f"{what} moved{by}, and not by their gradient: their new values do not depend on it"
        case "gradient-not-used":
            return f"{what} did not change: {where} differentiates a loss by them and does not use the gradient"
        case "never-tracked" if any(is_pretrained(row) for row in rows):
            return f"{what} did not change: the model does not track their layer, which was trained before or loaded"
        case "never-tracked":
            return f"{what} did not change: the model does not track the layer that owns them"
        case "unfrozen-after-compile":
            return f"{what} did not change since they were unfrozen: the step was made before"
        case "no-gradient":
            return f"{what} and held{by} did not change: no gradient arrived ({why})"
        case "nothing-trained":
            return f"{what} and held{by} did not change: the new values of its steps were never assigned{why}"
        case "zero-gradient" if _is_noise(rows[0]):
            return f"{what} and held{by} did not change: the gradient is rounding noise beside the others"
        case "zero-gradient" if factor_of_zeros(rows[0], ledger):
            return f"{what} and held{by} did not change: all zeros, and so is the weight they are multiplied with"
        case "zero-gradient" if why:
            return f"{what} and held{by} did not change: their gradient was zero ({why})"
        case "zero-gradient" if any(holding.gradient_inferred for holding in rows[0].optimizers):
            return f"{what} and held{by} did not change: the gradient, not seen itself, was zero or lost in rounding"
        case "update-rounded-away" if rows[0].optimizers[0].gradient_inferred and _loses_small_gradients(rows[0]):
            rate = rows[0].optimizers[0].max_lr
            return f"{what} and held{by} did not change: at lr {rate:g} a gradient of 1 is lost in {rows[0].dtype}"
        case "update-rounded-away" if rows[0].optimizers[0].gradient_inferred_from_neighbours:
            return (
                f"{what} and held{by} did not change: layers in front of it moved, its own steps are lost in rounding"
            )
        case "update-rounded-away" if rows[0].optimizers[0].gradient_inferred:
            return f"{what} and held{by} did not change: the rest of the layer moved, their steps are lost in rounding"
    return f"{what} and held{by} did not change"


def _loses_small_gradients(row: TensorRow) -> bool:
    return (row.optimizers[0].update_ulp or 0.0) <= HALF_UNIT


def _hint(rule: Rule, row: TensorRow, ledger: Ledger) -> str | None:
    """What to do where the rule's own remedy is too general."""
    if rule is ZERO_GRADIENT and _is_noise(row):
        return "a bias in front of a normalisation is taken out again by it: leave it, or make the layer without one"
    if rule is ZERO_GRADIENT and factor_of_zeros(row, ledger):
        return "draw one of the two at random again; Keras sets both halves of an adapter to zero when a file is loaded"
    if rule is NO_GRADIENT and no_gradient.is_kept_fixed(row, ledger):
        return "right for a fixed network such as a teacher: freeze it by flag, or do not list it, so that it shows"
    if rule in (NO_GRADIENT, ZERO_GRADIENT) and row.cleared:
        if no_gradient.is_held_back(row, ledger):
            return "right where they were meant to stay: freeze them by flag, so that it shows"
        return "leave gradients alone between the backward pass and the step: no zero_grad there, no clipping to 0"
    if rule is UNFROZEN_LATE and is_norm_left_out(row, ledger):
        return "right where normalisations were meant to stay: freeze them by flag too, so that it shows"
    if rule is NOTHING and ledger.optimizer(row.optimizers[0].optimizer).trains_model:
        return "return the new variables from train_step, in the place of those that it was given"
    if rule is NOTHING:
        return "assign what the step hands back to the model's variables before you save, evaluate or call it"
    if rule is not UNCHANGED:
        return None
    if all(holding.gradients.keys() == {"unknown"} for holding in row.optimizers):
        return "a compiled step hides its gradients: compile(run_eagerly=True) and run again to see them"
    return None


def _evidence(rule: Rule, rows: Iterable[TensorRow], where: str, ledger: Ledger) -> Evidence:
    row = next(iter(rows))
    evidence: Evidence = {
        "tensor": row.name,
        "checks": row.changed.checks,
        "unchanged_until_step": row.changed.checked_until,
        "flag_at_first_look": row.declared.first,
        "flips": [f"{'on' if flip.now else 'off'} before step {flip.step}" for flip in row.declared.flips] or None,
        "dtype": row.dtype,
        "reached_by_backward": row.reached_by_backward,
        "called": row.owner.called,
        "recorded": row.owner.recorded,
        "gradient_cleared": NOT_LOOKED_FOR if rule is NO_GRADIENT and row.cleared is None else row.cleared or None,
    }
    if where and all(holding.optimizer != where for holding in row.optimizers):
        evidence["found_in"] = where
    for holding in row.optimizers[:1]:
        optimizer = ledger.optimizer(holding.optimizer)
        evidence |= {
            "optimizer": holding.optimizer,
            "group": holding.group,
            "steps_executed": optimizer.steps_executed,
            "steps_skipped": optimizer.steps_skipped or None,
            "lr": holding.lr,
            "largest_lr": holding.max_lr,
            "weight_decay": holding.weight_decay,
            "gradients_at_checks": ", ".join(f"{state} {count}" for state, count in holding.gradients.items()) or None,
            "flag_when_captured": holding.captured,
            "largest_update_ulp": holding.update_ulp,
        }
    return evidence
