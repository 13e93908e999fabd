"""T: causes for which steps that a tensor takes part in do not train it: zero gradients and rates, rounding, decay."""

from __future__ import annotations

from frostline.core.ledger import FULL_PRECISION, HALF_UNIT
from frostline.laws.causes.cause import Mitigation
from frostline.laws.causes.frozen.decay import decay_alone
from frostline.laws.causes.trainable.neighbours import expert_of_many, factor_of_zeros, moved_any, rest_of_module
from frostline.laws.causes.trainable.no_gradient import TAKEN_AWAY, about_cleared, loss_unread
from frostline.laws.causes.trainable.still import Explained, Still, StillCause, StillTogether


def _zero_gradient(still: Still) -> Explained | None:
    if not still.is_steppable:
        return None
    zero = bool(still.gradients) and still.gradients <= {"none", "zero"}
    if not zero and not _is_noise(still):
        return None
    why = TAKEN_AWAY if still.row.cleared else loss_unread(still.row, still.run)
    return Explained(still.optimizer, still.steps, why)


def _is_noise(still: Still) -> bool:
    return any(holding.negligible for holding in still.holdings)


def _noise(still: Still) -> str | None:
    return "its largest gradient is less than rounding takes from those beside it" if _is_noise(still) else None


def _spared(still: Still) -> str | None:
    """The loss merely does not depend on it, while its like is trained."""
    row, run = still.row, still.run
    return None if factor_of_zeros(row, run) else rest_of_module(row, run) or expert_of_many(row, run)


def _why_zero(still: StillTogether) -> str:
    first = still.each[0]
    if _is_noise(first):
        return f"{still.held}: the gradient is rounding noise beside the others"
    if factor_of_zeros(first.row, first.run):
        return f"{still.held}: all zeros, and so is the weight they are multiplied with"
    if still.explained.why:
        return f"{still.held}: their gradient was zero ({still.explained.why})"
    if any(holding.gradient_inferred for holding in first.row.optimizers):
        return f"{still.held}: the gradient, not seen itself, was zero or lost in rounding"
    return still.held


def _about_zeros(still: StillTogether) -> str | None:
    if factor_of_zeros(still.rows[0], still.run) and not _is_noise(still.each[0]):
        return "draw one of the two at random again; Keras sets both halves of an adapter to zero when a file is loaded"
    return about_cleared(still)


ZERO_GRADIENT = StillCause(
    code="T204",
    slug="zero-gradient",
    severity="warning",
    law="L2",
    means="The gradient was there and exactly zero at every check.",
    matters="The tensor takes part in the graph but the loss does not depend on it.",
    remedy="look for dead activations, masks, a zero-initialised partner, or a product with zero",
    tells_apart="The gradient is zero, not missing, and the state and decay moved nothing either.",
    explains=_zero_gradient,
    says=_why_zero,
    advice=_about_zeros,
    mitigations=(
        Mitigation(
            "rounding noise",
            "The gradient is noise beside those of the other tensors: a bias in front of a normalisation.",
            _noise,
            hint="a bias in front of a normalisation is taken out again by it: leave it, or make the layer without one",
        ),
        Mitigation("beside trained ones", "The rest of its module, or another expert, was trained.", _spared),
    ),
)


def _zero_rate(still: Still) -> Explained | None:
    """The rate was zero in all steps; or it is now, and a gradient would have moved what was unfrozen."""
    if still.situation != "held":
        return None
    never = all(holding.max_lr == 0 for holding in still.holdings)
    since = "nonzero" in still.gradients and still.unfrozen and all(holding.lr == 0 for holding in still.holdings)
    return Explained(still.optimizer, still.steps) if never or since else None


ZERO_RATE = StillCause(
    code="T206",
    slug="learning-rate-zero",
    severity="error",
    law="L4",
    means="The learning rate of the tensor's group was zero in every executed step.",
    matters="The step runs and multiplies everything by zero.",
    remedy="look at the scheduler and at the group's lr; freeze by flag when zero was meant",
    tells_apart="The largest learning rate of the group is 0, over all steps or those since the tensor was unfrozen.",
    explains=_zero_rate,
)


def _rounded(still: Still) -> Explained | None:
    """Every update was lost in rounding.

    Where gradients stay hidden, another weight of the module that moved, or one in front of it in a row of layers, or
    an optimizer all of which is at rest, shows that it is no branch without a gradient.
    """
    if not still.is_steppable:
        return None
    bounds = [holding.update_ulp for holding in still.holdings if holding.update_ulp is not None]
    if not bounds or not ("nonzero" in still.gradients or _inferred(still)):
        return None
    shown = max(bounds) <= HALF_UNIT or (_inferred(still) and _came_through(still) is not None)
    return Explained(still.optimizer, still.steps) if shown else None


def _inferred(still: Still) -> bool:
    return still.holdings[0].gradient_inferred


def _came_through(still: Still) -> str | None:
    """What shows that gradients came to the tensor, though none was seen."""
    if still.holdings[0].gradient_inferred_from_neighbours:
        return "layers in front of it moved, so that a gradient came through it"
    return rest_of_module(still.row, still.run)


def _inferred_only(still: Still) -> str | None:
    """No gradient was seen: that updates were lost is concluded."""
    if not _inferred(still):
        return None
    large = max(holding.update_ulp or 0.0 for holding in still.holdings) > HALF_UNIT
    through = _came_through(still)
    if large:
        return through
    other = moved_any(still.optimizer, still.run) if through is None else None
    return f"no gradient of it was seen, and {other} moved, which the same optimizer holds" if other else None


def _went_flat(still: Still) -> str | None:
    """In a full-precision type a few tensors whose loss went flat are no fault; a whole optimizer at rest is one."""
    other = moved_any(still.optimizer, still.run) if still.row.dtype in FULL_PRECISION else None
    return f"{still.row.dtype} has digits for any useful step, and the same optimizer moved {other}" if other else None


def _why_rounded(still: StillTogether) -> str:
    row = still.rows[0]
    holding = row.optimizers[0]
    if holding.gradient_inferred and (holding.update_ulp or 0.0) <= HALF_UNIT:
        return f"{still.held}: at lr {holding.max_lr:g} a gradient of 1 is lost in {row.dtype}"
    if holding.gradient_inferred_from_neighbours:
        return f"{still.held}: layers in front of it moved, its own steps are lost in rounding"
    if holding.gradient_inferred:
        return f"{still.held}: the rest of the layer moved, their steps are lost in rounding"
    return still.held


ROUNDED = StillCause(
    code="T205",
    slug="update-rounded-away",
    severity="error",
    law="L2",
    means="Every update was smaller than half a unit in the last place of the weight and was rounded away.",
    matters="Gradients and optimizer state look alive; the weight's type cannot hold steps that small.",
    remedy="keep a full-precision master copy, use stochastic rounding, or a larger learning rate",
    tells_apart="Gradient and rate are not zero, and the largest update of the last step is below half a unit.",
    explains=_rounded,
    says=_why_rounded,
    mitigations=(
        Mitigation("inferred", "No gradient was seen; what moved beside it shows it.", _inferred_only, "warning"),
        Mitigation("went flat", "Full precision, and the same optimizer moves other tensors.", _went_flat),
    ),
)


def _decay_alone(still: Still) -> Explained | None:
    shown = decay_alone(still.row.changed.movements) if still.situation == "moved" else None
    return Explained(shown.optimizer or "", still.row.declared.trainable_steps) if shown is not None else None


DECAY_ALONE = StillCause(
    code="T211",
    slug="moved-by-decay-alone",
    severity="warning",
    law="L2",
    means="A tensor declared trainable got no gradient; the only movement was weight decay.",
    matters="It looks trained: the bits differ. It only shrank.",
    remedy="find out why no gradient reaches it, or exclude it from decay",
    tells_apart="Every observed move is w' = c·w with one c (or shrinks all that is large beside it, where the "
    "optimizer takes decay for a gradient), and the gradient is zero or missing.",
    explains=_decay_alone,
    says=lambda still: f"{still.what} moved{still.by} by weight decay alone",
    mitigations=(
        Mitigation(
            "expert of many",
            "Another module of the same type beside it was trained or called.",
            lambda still: expert_of_many(still.row, still.run),
        ),
    ),
)


def _hidden_and_spared(still: Still) -> str | None:
    if "nonzero" in still.gradients:
        return None
    stateless = still.run.optimizer(still.optimizer).stateless
    return (rest_of_module(still.row, still.run) if stateless else None) or expert_of_many(still.row, still.run)


def _hidden(still: Still) -> str | None:
    return None if "nonzero" in still.gradients else "no gradient of it was seen, and it may have been zero"


def _look_inside(still: StillTogether) -> str | None:
    hidden = all(holding.gradients.keys() == {"unknown"} for holding in still.rows[0].optimizers)
    if hidden and "keras" in still.each[0].run.framework:
        return "a compiled step hides its gradients: compile(run_eagerly=True) and run again to see them"
    if hidden and still.each[0].run.framework == "jax":
        return "a compiled step hides its gradients: return them from it to see whether they are zero"
    return None


UNCHANGED = StillCause(
    code="T200",
    slug="trainable-but-unchanged",
    severity="error",
    law="L2",
    means="A tensor declared trainable and held by an optimizer did not change, and no cause could be established.",
    matters="The run paid for training it and did not.",
    remedy="run again with --check-every 1; look at how the update reaches the tensor on this device",
    tells_apart="Gradient not zero, learning rate not zero, and the update was large enough to show.",
    explains=lambda still: Explained(still.optimizer, still.steps) if still.is_steppable else None,
    advice=_look_inside,
    mitigations=(
        Mitigation("beside trained ones", "Gradients stay hidden, and its like is trained.", _hidden_and_spared),
        Mitigation("hidden", "Gradients stay hidden.", _hidden, severity="warning"),
    ),
)
