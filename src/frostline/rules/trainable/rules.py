"""T: the rules for tensors declared trainable that did not change."""

from __future__ import annotations

from frostline.rules.rule import Rule
from frostline.rules.trainable.idle_optimizers import NOTHING, SKIPPED, UNREGISTERED

UNCHANGED = Rule(
    "T200",
    "trainable-but-unchanged",
    "error",
    "L2",
    means="A tensor declared trainable and held by an optimizer did not change, and no cause could be established.",
    matters="The run paid for training it and did not.",
    remedy="run again with --check-every 1; look at how the update reaches the tensor on this device",
    tells_apart="Gradient not zero, learning rate not zero, and the update was large enough to show.",
)
NOT_HELD = Rule(
    "T201",
    "not-in-any-optimizer",
    "error",
    "L3",
    means="A tensor declared trainable is held by no optimizer.",
    matters="It gets gradients and is never updated: a group was forgotten, or it was meant to be frozen.",
    remedy="add it to the optimizer, or freeze it if it is meant to stay: requires_grad_(False), trainable = False",
    tells_apart="The flag was on all the time (else T209), and the optimizer holds nothing strange (else T202).",
)
OTHER_TENSORS = Rule(
    "T202",
    "optimizer-holds-other-tensors",
    "error",
    "L3",
    means="The optimizer holds tensors that belong to no live model, and the model's own are held by nobody.",
    matters="Steps update orphans: the loss stays where it is and nothing is reported.",
    remedy="make the optimizer after the model has its final tensors (after loading, converting, wrapping, resizing)",
    tells_apart="The optimizer's tensors have the shapes of the model's and are other objects.",
)
NO_GRADIENT = Rule(
    "T203",
    "no-gradient",
    "error",
    "L2",
    means="A tensor held by an optimizer had no gradient at any check.",
    matters="Its module was not called, was called without gradient recording, or its output was cut from the loss.",
    remedy="look for no_grad, detach, .data, reentrant checkpointing with frozen inputs, or an unused output",
    tells_apart="The gradient is missing, not zero; the evidence says whether the module was called and recorded. A "
    "note where the script keeps a network fixed: in eval mode, without gradients, while all else is in training mode; "
    "where no pass reads the weight; and where the loss is on slopes and the rest of the module has gradients.",
)
ZERO_GRADIENT = Rule(
    "T204",
    "zero-gradient",
    "warning",
    "L2",
    means="The gradient was there and exactly zero at every check.",
    matters="The tensor takes part in the graph but the loss does not depend on it.",
    remedy="look for dead activations, masks, a zero-initialised partner, or a product with zero",
    tells_apart="The gradient is zero, not missing, and the state and decay moved nothing either. A note, in other "
    "words, where it is rounding noise beside the gradients of the other tensors: a bias in front of a normalisation.",
)
ROUNDED = Rule(
    "T205",
    "update-rounded-away",
    "error",
    "L2",
    means="Every update was smaller than half a unit in the last place of the weight and was rounded away.",
    matters="Gradients and optimizer state look alive; the weight's type cannot hold steps that small.",
    remedy="keep a full-precision master copy, use stochastic rounding, or a larger learning rate",
    tells_apart="Gradient and rate are not zero, and the largest update of the last step is below half a unit.",
)
ZERO_RATE = Rule(
    "T206",
    "learning-rate-zero",
    "error",
    "L4",
    means="The learning rate of the tensor's group was zero in every executed step.",
    matters="The step runs and multiplies everything by zero.",
    remedy="look at the scheduler and at the group's lr; freeze by flag when zero was meant",
    tells_apart="The largest learning rate of the group is 0, over all steps or those since the tensor was unfrozen.",
)
UNFROZEN_LATE = Rule(
    "T209",
    "unfrozen-after-compile",
    "error",
    "L2",
    means="The flag was turned on after the optimizer or compiled step was made; the step does not know it.",
    matters="Gradual unfreezing that unfreezes nothing: flags and summary say trainable.",
    remedy="add the parameters to the optimizer (add_param_group), or compile again",
    tells_apart="The flag was off at the first check or at capture and is on now; no optimizer updates the tensor. A "
    "note for normalisations where everything else that was unfrozen with them is held, as with train_bn=False.",
)
DECAY_ALONE = Rule(
    "T211",
    "moved-by-decay-alone",
    "warning",
    "L2",
    means="A tensor declared trainable got no gradient; the only movement was weight decay.",
    matters="It looks trained: the bits differ. It only shrank.",
    remedy="find out why no gradient reaches it, or exclude it from decay",
    tells_apart="Every observed move is w' = c·w with one c (or shrinks all that is large beside it, where the "
    "optimizer takes decay for a gradient), and the gradient is zero or missing.",
)
NEVER_TRACKED = Rule(
    "T212",
    "never-tracked",
    "error",
    "L10",
    means="A layer is kept where the model cannot see it, so neither summary nor optimizer lists its weights.",
    matters="It takes part in every forward pass and is never trained nor saved.",
    remedy="keep layers as attributes or in lists and dicts of the model, not inside plain objects",
    tells_apart="The layer hangs under an attribute that the framework does not track. A note where its weights are "
    "not those of an initialiser: a network trained before, to measure or to guide by.",
)

RULES = (
    UNCHANGED, NOT_HELD, OTHER_TENSORS, NO_GRADIENT, ZERO_GRADIENT, ROUNDED, ZERO_RATE, SKIPPED, NOTHING,
    UNFROZEN_LATE, UNREGISTERED, DECAY_ALONE, NEVER_TRACKED,
)  # fmt: skip
