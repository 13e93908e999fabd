"""Events: facts about a moment of the run that laws look up as they are, instead of reading them from a row.

Tensors are given by the names that they had at that moment. ``step`` counts the executed steps before it.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from frostline.core.events.averages import AverageMisplaced, AveragePutIn, CopyKept
from frostline.core.events.fact import Fact, Names, Origin
from frostline.core.events.files import FilesAlike, FileWritten, LoadCompared, LoadLeftOut, LoadMatched, StateHidden

Act = Literal[
    "made", "froze", "unfroze", "optimizer", "group", "compiled", "step", "loaded", "wrote", "data", "train", "eval",
    "saved",
]  # fmt: skip


class LineSeen(Fact, frozen=True):
    """The line ``origin`` of the script did ``act`` to the tensors of these numbers, or to ``optimizer``.

    ``step`` is that of the last time. ``until`` is given where the line that did it was not seen: it is one between
    ``origin`` and that one, of which at most one is not known. ``about`` is what it wrote, or wrote to: a file, a type.
    """

    step: int
    act: Act
    tensors: tuple[int, ...] = ()
    optimizer: str = ""
    about: str = ""
    until: Origin | None = None


class TensorReplaced(Fact, frozen=True):
    """Another tensor took the place of ``name`` in a module of type ``by``, with the same flag or another."""

    step: int
    tensor: int
    name: str
    by: str
    flag_before: bool | None = None
    flag_now: bool | None = None


class TieBroken(Fact, frozen=True):
    """A tensor no longer shares its storage with those of the names ``lost``."""

    step: int
    tensor: int
    name: str
    lost: Names


class SummaryPrinted(Fact, frozen=True):
    """A summary or count was printed for a model; a later fact of the same ``summary`` knows its tensors better.

    ``flags_trainable`` counts what the flags themselves called trainable at that moment, ``optimizer`` what the
    optimizer's own variables add to the total.
    """

    step: int
    summary: int
    model: str
    tensors: Names = ()
    total: int | None = None
    trainable: int | None = None
    non_trainable: int | None = None
    flags_trainable: int | None = None
    optimizer: int | None = None


class FlagMisspelt(Fact, frozen=True):
    """An attribute was set to False, or to ``value``, that is named like a flag or rate, and that nothing reads."""

    subject: str
    attribute: str
    on: str
    tensors: Names
    value: str = ""


class FlagsLost(Fact, frozen=True):
    """The call ``act`` made trainable tensors of those that were frozen one by one in the model that it was given."""

    step: int
    act: str
    tensors: Names


class GradientLeft(Fact, frozen=True):
    """``optimizer`` stepped with gradients in these tensors that the backward pass of ``other`` had left there.

    ``together`` says that ``other`` stepped on the backward pass of ``optimizer`` too, as where both accumulate.
    """

    step: int
    optimizer: str
    other: str
    tensors: Names
    together: bool = False


class SteppedTogether(Fact, frozen=True):
    """``optimizer`` and ``other`` both moved these tensors after one and the same backward pass."""

    step: int
    optimizer: str
    other: str
    tensors: Names


class StateMisshapen(Fact, frozen=True):
    """An optimizer keeps state of another shape than that of these tensors."""

    step: int
    optimizer: str
    tensors: Names


class AddedLossUnread(Fact, frozen=True):
    """A layer, with these tensors, gave a loss to ``add_loss``, and nothing read the losses of its model."""

    step: int
    layer: str
    tensors: Names


class LayersUntracked(Fact, frozen=True):
    """A layer hangs below a model in a plain container, where the framework does not track these tensors."""

    step: int
    layer: str
    tensors: Names


class VariablesUntracked(Fact, frozen=True):
    """Variables that a step reads, or a layer holds, and that no model tracks."""

    step: int
    model: str
    tensors: Names


class ModulesRecreated(Fact, frozen=True):
    """Layers of this type were created inside ``passes`` calls of a model, and were gone after each."""

    step: int
    type: str
    passes: int


class TrainingCallEmpty(Fact, frozen=True):
    """``fit`` of ``model``, which has these trainable tensors, ran no epoch: it was to go from one to the other."""

    step: int
    model: str
    tensors: Names
    first_epoch: int | None = None
    epochs: int | None = None


class ZerosFilled(Fact, frozen=True):
    """Of a weight's ``zeros`` values that were zero after ``step``, ``left`` are at the end.

    They were ``written`` by the script, or ``pruned`` by a library, and stayed zero through ``held`` steps first.
    """

    step: int
    tensors: Names
    act: str
    zeros: int
    left: int
    held: int = 0


class OptimizerIdle(Fact, frozen=True):
    """``optimizer`` was made, or built for its weights, after ``step``, and never stepped until the end."""

    step: int
    optimizer: str


class StepCompiled(Fact, frozen=True):
    """A model of this type was compiled together with its step."""

    step: int
    model: str


class ModelUsed(Fact, frozen=True):
    """A model was called or written after steps that hand back new weights instead of writing them."""

    step: int
    model: str
    tensors: Names


class NetworkContinued(Fact, frozen=True):
    """A network that is trained by itself is a layer of another model, which computes on with these tensors."""

    step: int
    network: str
    tensors: Names


class NetworkInParallel(Fact, frozen=True):
    """A network took the same input as another one and returned the same shape, in eval mode or trained before it.

    ``tensors`` are its parameters, ``beside`` those of the other one, which was in training mode.
    """

    step: int
    tensors: Names
    beside: Names


class UpdateShown(Fact, frozen=True):
    """What the trace of a train step, or the optimizer itself, shows of these tensors.

    ``shows`` is ``raw-gradient`` (the update is the gradient as it is, or what no learning rate scaled), ``decayed``
    (it is moved although its gradient was set to zero before, or is zero), ``not-returned`` (the new value reaches no
    result of the function), ``gradient-unused`` (a loss was differentiated by it, and its new value does not depend on
    that), ``gradient-elsewhere`` (another tensor is updated with its gradient), ``captured`` (compiled into the
    function as a constant) or ``passed-through`` (it comes back as it was handed in, and no gradient is computed from
    it). ``by`` is the transformation that did it.
    """

    step: int
    optimizer: str
    tensors: Names
    shows: str
    by: str = ""


class ResultDropped(Fact, frozen=True):
    """So many times ``optimizer`` made new values of these tensors, and its next step was handed the former ones."""

    step: int
    optimizer: str
    tensors: Names
    times: int


class StateReset(Fact, frozen=True):
    """So many times the state that ``optimizer`` handed back was left, and its next step began with the first again.

    ``state`` are the places of that state in what it is handed; none where it is made anew inside each step.
    """

    step: int
    optimizer: str
    state: Names
    times: int


class DonatedUsed(Fact, frozen=True):
    """The script used ``name``, former values of these tensors whose memory it had donated to a step of ``optimizer``.

    ``arrays`` are the places in what ``name`` holds; nothing of them is left.
    """

    step: int
    optimizer: str
    tensors: Names
    name: str
    arrays: Names


class LabelUnmatched(Fact, frozen=True):
    """An optimizer that is chosen by label has these labels on no tensor; ``freezes`` says that one would freeze."""

    step: int
    labels: Names
    used: Names
    freezes: bool = False


Event: TypeAlias = (
    LineSeen
    | TensorReplaced
    | TieBroken
    | SummaryPrinted
    | FlagMisspelt
    | FlagsLost
    | GradientLeft
    | SteppedTogether
    | StateMisshapen
    | AddedLossUnread
    | AverageMisplaced
    | AveragePutIn
    | CopyKept
    | LayersUntracked
    | VariablesUntracked
    | ModulesRecreated
    | TrainingCallEmpty
    | ZerosFilled
    | OptimizerIdle
    | StepCompiled
    | ModelUsed
    | NetworkContinued
    | NetworkInParallel
    | FileWritten
    | FilesAlike
    | StateHidden
    | LoadMatched
    | LoadCompared
    | LoadLeftOut
    | UpdateShown
    | ResultDropped
    | StateReset
    | DonatedUsed
    | LabelUnmatched
)
