"""F: causes for which a step of an optimizer moves a tensor that is declared frozen."""

from __future__ import annotations

from frostline.core.amounts import are, tensors, were
from frostline.laws.causes.cause import Mitigation
from frostline.laws.causes.frozen.decay import made_by_decay, made_by_hand
from frostline.laws.causes.frozen.moved import FrozenCause, Moved, MovedTogether


def _tied(moved: Moved) -> str | None:
    """The tensor shares its storage with one that a step trains."""
    if not moved.in_step:
        return None
    others = (moved.run.named.get(name) for name in moved.row.overlaps)
    trained = any(other is not None and other.declared.trainable and other.optimizers for other in others)
    return moved.optimizer if moved.row.declared.alias_flags or trained else None


TIED = FrozenCause(
    code="F106",
    slug="frozen-but-tied-to-trained",
    severity="error",
    law="L1",
    means="The tensor shares its storage with one that is trained under another name or in another model.",
    matters="A flag belongs to a tensor object, the bits belong to the storage; freezing one view freezes nothing.",
    remedy="freeze every name of the storage, or untie them with a copy",
    tells_apart="Two tensors overlap in memory, one of them is trained; no other rule is needed to explain the move.",
    explains=_tied,
    says=lambda moved: f"{moved.what}: the same storage is trained under another name ({moved.seen})",
)


def _not_inherited(moved: Moved) -> str | None:
    declared = moved.row.declared
    return moved.optimizer if moved.in_step and declared.container_flag is False and declared.trainable else None


def _in_containers(moved: MovedTogether) -> str:
    containers = sorted({row.declared.container or "" for row in moved.rows})
    trained = f"{tensors(moved.rows)} {were(len(moved.rows))} trained by {moved.where}"
    return f"{trained} although {', '.join(containers)} {are(len(containers))} declared frozen"


def _against_flattening(moved: MovedTogether) -> str | None:
    """In PyTorch alone a call on a container misses only what stands in a flat parameter."""
    if not {"keras", "tf_keras"}.isdisjoint(moved.each[0].run.ledger.run.frameworks):
        return None
    return "call requires_grad_(False) before FullyShardedDataParallel wraps the model, with use_orig_params=True"


NOT_INHERITED = FrozenCause(
    code="F110",
    slug="frozen-flag-not-inherited",
    severity="error",
    law="L1",
    means="A container says frozen; tensors inside say trainable, and were trained.",
    matters="The container's own summary counts them as frozen while the outer model's step trains them.",
    remedy="set container.trainable = False after everything in it exists, and set it last",
    tells_apart="The tensor's own flag is on and an enclosing layer's flag is off; the step trained it.",
    explains=_not_inherited,
    says=_in_containers,
    advice=_against_flattening,
)


def _stale_step(moved: Moved) -> str | None:
    """The step was made when the tensor, or for a buffer a parameter beside it, was trainable."""
    if not moved.in_step:
        return None
    captured = moved.holding is not None and moved.holding.captured and not moved.row.declared.trainable
    beside = moved.row.kind == "buffer" and any(
        holding.optimizer == moved.optimizer and holding.captured and not other.declared.trainable
        for other in moved.run.module(moved.row)
        if other.kind == "parameter"
        for holding in other.optimizers
    )
    return moved.optimizer if captured or beside else None


def _taking_turns(moved: Moved) -> str | None:
    """Another model contains the tensor, was compiled with it frozen, and runs: GANs were written so."""
    names = (moved.row.name, *moved.row.aliases)
    held = {holding.optimizer for holding in moved.row.optimizers if holding.listed}
    for other in moved.run.optimizers:
        if other.id == moved.where or other.id in held or not (other.steps_executed and other.trains_model):
            continue
        if any(name.startswith(f"{other.trains_model}.") for name in names):
            return f"{other.trains_model}, which contains it, was compiled with it frozen and is trained too"
    return None


STALE_STEP = FrozenCause(
    code="F105",
    slug="stale-compiled-step",
    severity="error",
    law="L1",
    means="The compiled train step was made while the tensor was trainable and goes on training it.",
    matters="The flag and the summary say frozen; the step that runs was built before and does not look at them.",
    remedy="call compile() again after changing a flag (or make_train_function(force=True))",
    tells_apart="The flag when the step was made differs from the flag now, and the move was inside that step.",
    explains=_stale_step,
    says=lambda moved: (
        f"{moved.what} inside {moved.where}'s step, which was made when they were trainable ({moved.seen})"
    ),
    mitigations=(
        Mitigation(
            "takes turns",
            "A model around this one was compiled with the tensors frozen and is trained in turn, as in a GAN.",
            _taking_turns,
        ),
    ),
)


RAW_GRADIENT = FrozenCause(
    code="F112",
    slug="frozen-but-raw-gradient-applied",
    severity="error",
    law="L1",
    means="A mask left the tensor out of the optimizer, and the gradient itself was added to it at every step.",
    matters="It moves up the slope at a rate of 1: what was to be frozen is what moves most.",
    remedy="freeze with optax.set_to_zero: under a label of multi_transform, or masked for what is frozen",
    tells_apart="The trace shows that the update is the gradient, or that nothing with a learning rate saw it.",
    explains=lambda moved: (
        moved.optimizer if moved.in_step and moved.run.shown(moved.row, "raw-gradient") is not None else None
    ),
)


def _stale_gradient(moved: Moved) -> str | None:
    declared = moved.row.declared
    was_trainable = declared.first or any(flip.now is False for flip in declared.flips)
    return moved.optimizer if moved.in_step and moved.move.gradient == "nonzero" and was_trainable else None


STALE_GRADIENT = FrozenCause(
    code="F103",
    slug="frozen-with-stale-gradient",
    severity="error",
    law="L1",
    means="The flag was turned off after a backward pass; the gradient left behind was applied by the next step.",
    matters="The optimizer looks at .grad, not at requires_grad, so the tensor moves once or at every step.",
    remedy="set .grad = None for the tensors when you freeze them",
    tells_apart="The flag was on earlier in the run, is off in the step, and the gradient is not zero.",
    explains=_stale_gradient,
)


def _decayed(moved: Moved) -> str | None:
    """Inside a step decay alone moved the tensor; outside of it the script shrank it, a little and again and again."""
    if moved.in_step:
        traced = moved.run.shown(moved.row, "decayed") is not None
        by_bits = moved.move.gradient != "nonzero" and made_by_decay(moved.row, moved.move)
        return moved.optimizer if traced or by_bits else None
    return "outside" if moved.move.event is None and made_by_hand(moved.row, moved.move) else None


def _how_it_decayed(moved: MovedTogether) -> str:
    if moved.where == "outside":
        return f"{moved.what} by decay that the script does by hand, outside every step ({moved.seen})"
    return f"{moved.what} ({moved.seen}, {moved.where})"


def _against_decay(moved: MovedTogether) -> str | None:
    if moved.each[0].run.shown(moved.rows[0], "decayed") is not None:
        return "put set_to_zero last in the chain, or mask the weight decay"
    by_hand = "leave frozen weights out where the script multiplies its weights by a factor"
    return by_hand if moved.where == "outside" else None


DECAYED = FrozenCause(
    code="F101",
    slug="frozen-but-decayed",
    severity="error",
    law="L1",
    means="Weight decay shrank a frozen tensor.",
    matters="The tensor fades towards zero although nothing is learned from it.",
    remedy="give the optimizer only the parameters that require a gradient, or set their .grad to None",
    tells_apart="The gradient was exactly zero and w' = c·w for one c; momentum and gradients do not move like that. "
    "Adam and others take their own decay for a gradient: then every number that is large beside the move shrank. "
    "What shrinks by a factor just below one outside every step, again and again, the script decays by hand.",
    explains=_decayed,
    says=_how_it_decayed,
    advice=_against_decay,
)
MOMENTUM = FrozenCause(
    code="F102",
    slug="frozen-but-carried-by-momentum",
    severity="error",
    law="L1",
    means="A frozen tensor went on moving because the optimizer still held momentum for it and its gradient was zero.",
    matters="A zero gradient is not a missing one: the moments of earlier steps are still applied.",
    remedy="set .grad to None when freezing (zero_grad(set_to_none=True)), or rebuild the optimizer without it; L-BFGS "
    "takes a missing gradient for zeros: rebuild it",
    tells_apart="Gradient exactly zero, optimizer state not zero; the move does not shrink the tensor as decay would.",
    explains=lambda moved: (
        moved.optimizer if moved.in_step and moved.move.gradient == "zero" and moved.move.state else None
    ),
)


def _listed(moved: Moved) -> str | None:
    listed = moved.holding is not None and moved.holding.listed
    given = moved.move.gradient == "nonzero" or (moved.move.gradient == "unknown" and listed)
    return moved.optimizer if moved.in_step and given else None


LISTED = FrozenCause(
    code="F113",
    slug="frozen-but-listed",
    severity="error",
    law="L1",
    means="The loop handed the tensor to the step explicitly, with a gradient, and the step trained it.",
    matters="An optimizer trains what it is given; the flag is only consulted by those who build the list.",
    remedy="build the list from the trainable parameters only",
    tells_apart="The flag was off at every check and yet a non-zero gradient came in with the step.",
    explains=_listed,
)
