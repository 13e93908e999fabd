"""F: the rules for tensors that moved while they were declared frozen."""

from __future__ import annotations

from frostline.rules.rule import Rule

FROZEN_BUT_CHANGED = Rule(
    "F100",
    "frozen-but-changed",
    "error",
    "L1",
    means="A tensor that was declared frozen has other bits than before, and no cause could be established.",
    matters="What you ship differs from what you froze; comparisons with the original model are void.",
    remedy="run again with --check-every 1, so that the move is caught between two adjacent readings",
    tells_apart="Fires only when every other F rule was ruled out; the evidence lists what was excluded.",
)
DECAYED = Rule(
    "F101",
    "frozen-but-decayed",
    "error",
    "L1",
    means="Weight decay shrank a frozen tensor.",
    matters="The tensor fades towards zero although nothing is learned from it.",
    remedy="give the optimizer only the parameters that require a gradient, or set their .grad to None",
    tells_apart="The gradient was exactly zero and w' = c·w for one c; momentum and gradients do not move like that. "
    "Adam and others take their own decay for a gradient: then every number that is large beside the move shrank. "
    "What shrinks by a factor just below one outside every step, again and again, the script decays by hand.",
)
MOMENTUM = Rule(
    "F102",
    "frozen-but-carried-by-momentum",
    "error",
    "L1",
    means="A frozen tensor went on moving because the optimizer still held momentum for it and its gradient was zero.",
    matters="A zero gradient is not a missing one: the moments of earlier steps are still applied.",
    remedy="set .grad to None when freezing (zero_grad(set_to_none=True)), or rebuild the optimizer without it; L-BFGS "
    "takes a missing gradient for zeros: rebuild it",
    tells_apart="Gradient exactly zero, optimizer state not zero; the move does not shrink the tensor as decay would.",
)
STALE_GRADIENT = Rule(
    "F103",
    "frozen-with-stale-gradient",
    "error",
    "L1",
    means="The flag was turned off after a backward pass; the gradient left behind was applied by the next step.",
    matters="The optimizer looks at .grad, not at requires_grad, so the tensor moves once or at every step.",
    remedy="set .grad = None for the tensors when you freeze them",
    tells_apart="The flag was on earlier in the run, is off in the step, and the gradient is not zero.",
)
OVERWRITTEN = Rule(
    "F104",
    "frozen-but-overwritten-from-copy",
    "error",
    "L1",
    means="A copy held elsewhere (a full-precision master, an average, an older state) was written over the tensor.",
    matters="Values you loaded or set are silently replaced by those of the copy.",
    remedy="make the optimizer or wrapper after loading, or refresh its copies from the model",
    tells_apart="The new bits equal another tensor of the process; a step would have made new values.",
)
STALE_STEP = Rule(
    "F105",
    "stale-compiled-step",
    "error",
    "L1",
    means="The compiled train step was made while the tensor was trainable and goes on training it.",
    matters="The flag and the summary say frozen; the step that runs was built before and does not look at them.",
    remedy="call compile() again after changing a flag (or make_train_function(force=True))",
    tells_apart="The flag when the step was made differs from the flag now, and the move was inside that step.",
)
TIED = Rule(
    "F106",
    "frozen-but-tied-to-trained",
    "error",
    "L1",
    means="The tensor shares its storage with one that is trained under another name or in another model.",
    matters="A flag belongs to a tensor object, the bits belong to the storage; freezing one view freezes nothing.",
    remedy="freeze every name of the storage, or untie them with a copy",
    tells_apart="Two tensors overlap in memory, one of them is trained; no other rule is needed to explain the move.",
)
STATISTICS = Rule(
    "F107",
    "frozen-but-statistics-moved",
    "error",
    "L5",
    means="Running statistics of a normalisation layer moved although the layer's parameters are frozen.",
    matters="The frozen part gives other outputs after training; checkpoints of 'the same backbone' differ.",
    remedy="put the frozen part in eval mode (and again after every model.train()), or use frozen batch norm",
    tells_apart="A buffer of a normalisation layer, moved by a forward pass in training mode and by no optimizer. A "
    "note where nothing but the count of batches moved, as with a momentum of 0.",
)
REWRITTEN_IN_FORWARD = Rule(
    "F108",
    "frozen-but-rewritten-in-forward",
    "error",
    "L1",
    means="The forward pass itself rewrites the tensor: a norm bound, a codebook, a power iteration, an observer.",
    matters="Flags and optimizers have no say in it; the module must be told in its own way.",
    remedy="switch the module to eval mode or use its own switch (max_norm, freeze_codebook, disable_observer)",
    tells_apart="Moved between the beginning and the end of its module's forward pass; no optimizer was involved.",
)
REWRITTEN_OUTSIDE = Rule(
    "F109",
    "frozen-but-rewritten-outside-step",
    "error",
    "L1",
    means="Something wrote into the frozen tensor outside every step and forward pass: by hand, a reload, a callback.",
    matters="The training loop is innocent; the write is somewhere else in the script or its callbacks.",
    remedy="look for writes between the steps named here: load_state_dict, .data, set_weights, averaging callbacks",
    tells_apart="Both neighbouring steps and the module's forward pass left the bits alone; it follows no other "
    "tensor. A note where peft merged an adapter into it, or where only the last check showed it and no optimizer "
    "that holds the tensor stepped since.",
)
NOT_INHERITED = Rule(
    "F110",
    "frozen-flag-not-inherited",
    "error",
    "L1",
    means="A container says frozen; tensors inside say trainable, and were trained.",
    matters="The container's own summary counts them as frozen while the outer model's step trains them.",
    remedy="set container.trainable = False after everything in it exists, and set it last",
    tells_apart="The tensor's own flag is on and an enclosing layer's flag is off; the step trained it.",
)
LISTED = Rule(
    "F113",
    "frozen-but-listed",
    "error",
    "L1",
    means="The loop handed the tensor to the step explicitly, with a gradient, and the step trained it.",
    matters="An optimizer trains what it is given; the flag is only consulted by those who build the list.",
    remedy="build the list from the trainable parameters only",
    tells_apart="The flag was off at every check and yet a non-zero gradient came in with the step.",
)

RAW_GRADIENT = Rule(
    "F112",
    "frozen-but-raw-gradient-applied",
    "error",
    "L1",
    means="A mask left the tensor out of the optimizer, and the gradient itself was added to it at every step.",
    matters="It moves up the slope at a rate of 1: what was to be frozen is what moves most.",
    remedy="freeze with optax.set_to_zero: under a label of multi_transform, or masked for what is frozen",
    tells_apart="The trace shows that the update is the gradient, or that nothing with a learning rate saw it.",
)

RULES = (
    FROZEN_BUT_CHANGED, DECAYED, MOMENTUM, STALE_GRADIENT, OVERWRITTEN, STALE_STEP, TIED, STATISTICS,
    REWRITTEN_IN_FORWARD, REWRITTEN_OUTSIDE, NOT_INHERITED, RAW_GRADIENT, LISTED,
)  # fmt: skip
