"""The ledger: one row per tensor with its five columns, the optimizers that update tensors, and what the run did.

Plain data: the fold fills it; laws, the verdict and the reports read it. A column that could not be established holds
``None``, with its reason in ``TensorRow.unknown``; so does a fact that nobody looked for. Neither reads as fine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeVar

from frostline.core.columns.part import Part
from frostline.core.columns.replica import ReplicaSample
from frostline.core.columns.saved import Saved
from frostline.core.columns.standstill import Standstill
from frostline.core.events import Event
from frostline.core.events.fact import Fact
from frostline.core.run import Run

Kind = Literal["parameter", "buffer"]
Answer = Literal["yes", "no", "unknown"]
Gradient = Literal["none", "zero", "nonzero", "unknown"]
Place = Literal["step", "forward", "outside", "between"]
Role = Literal["normalisation", "embedding", "codebook", "spectral", "observer", "random-state", "other"]

Seen = TypeVar("Seen", bound=Fact)

UNMERGED = "an adapter being taken out again"  # the event of a move that is left when a merge was undone
MERGED = "an adapter being merged"  # the event of a move that a library made when asked to, or that shows it
LOADED = "load_state_dict"  # the event of a move that a load of state made
CONVERTED = "a conversion to a type of fewer digits and back"  # the event of a move that rounding made
FULL_PRECISION = ("float32", "float64", "complex64", "complex128")
HALF_UNIT = 0.5  # of the last place of a weight: a smaller update is rounded away


@dataclass(slots=True)
class Shift:
    """How the bits of one tensor moved between two readings, seen on a copy kept around the move.

    ``ratio`` is c where every element obeys w' = c·w up to rounding, else None. ``grown`` counts the elements whose
    size grew. ``shrunk`` says whether every element that is large beside the move went towards zero (None where too few
    are), as where an optimizer takes decay for a gradient. ``max_ulp`` counts units in the last place.
    """

    elements: int
    moved: int
    max_abs: float | None = None
    max_ulp: int | None = None
    ratio: float | None = None
    grown: int | None = None
    shrunk: bool | None = None


@dataclass(slots=True)
class Movement:
    """One observed change of a tensor, with everything known about the moment.

    ``place`` is ``step`` (inside a step of ``optimizer``), ``forward`` (inside its module's forward pass),
    ``outside`` (neither) or ``between`` (somewhere between two checks: no tighter bound was taken). ``since``
    and ``until`` count executed steps of all optimizers. ``follows`` names the tensor towards which the move went, with
    w' = w + rate·(source - w); ``equals`` the other tensor that holds the new bits, ``resembles`` one close to them.
    ``late``: only the last check showed the move, and it came from no step; ``unwritten_until`` is the step up to which
    no write into the tensor was seen, where one was seen after it.
    """

    place: Place
    since: int
    until: int
    optimizer: str | None = None
    trainable: bool | None = None
    training: bool | None = None
    gradient: Gradient | None = None
    state: bool | None = None
    lr: float | None = None
    weight_decay: float | None = None
    blocks: int = 0
    blocks_moved: int = 0
    shift: Shift | None = None
    event: str | None = None
    follows: str | None = None
    rate: float | None = None
    equals: str | None = None
    resembles: str | None = None
    late: bool = False
    unwritten_until: int | None = None
    id: int = -1


@dataclass(slots=True)
class Flip:
    """The flag of a tensor changed before global step ``step`` and nothing but the script can have done it."""

    step: int
    now: bool
    optimizer: str | None = None


@dataclass(slots=True)
class Declared:
    """What the flags say: ``trainable`` now, ``first`` at the first check, and every flip in between.

    ``container`` names an enclosing module whose own flag contradicts the tensor's; ``intents`` are explicit calls
    that set the flag of one of the tensor's names, as ``(name, flag)``; ``alias_flags`` are the flags of other tensor
    objects on the same storage that differ from this one's.
    """

    trainable: bool | None = None
    first: bool | None = None
    training: bool | None = None
    flips: list[Flip] = field(default_factory=list)
    flip_count: int = 0
    frozen_steps: int = 0
    trainable_steps: int = 0
    container: str | None = None
    container_flag: bool | None = None
    intents: list[tuple[str, bool]] = field(default_factory=list)
    alias_flags: list[tuple[str, bool]] = field(default_factory=list)


@dataclass(slots=True)
class Holding:
    """How one optimizer holds one tensor: group, rates, gradients seen at its checks, optimizer state.

    ``captured`` is the flag of the tensor when a compiled step was made (None where nothing is captured).
    ``gradient_inferred`` says that gradients were not seen: they were zero or lost in rounding, since no bit moved;
    ``gradient_inferred_from_neighbours`` that they came through the tensor's layer, as those in front of it moved;
    ``unassigned`` that a step handed back new values, which the script never put in place. ``update_ulp`` is the
    largest update that the step can have made, in units in the last place of the weight; ``negligible`` says that the
    gradient is rounding noise beside the others; ``first_gradient`` is a digest of some.
    """

    optimizer: str
    group: int | None = None
    listed: bool = True
    captured: bool | None = None
    lr: float | None = None
    max_lr: float | None = None
    weight_decay: float | None = None
    gradients: dict[str, int] = field(default_factory=dict)
    state: bool | None = None
    state_of: str | None = None
    gradient_inferred: bool = False
    unassigned: bool = False
    gradient_inferred_from_neighbours: bool = False
    update_ulp: float | None = None
    negligible: bool | None = None
    first_gradient: str | None = None
    steps: int = 0


@dataclass(slots=True)
class Changed:
    """Which bits moved since the baseline: the verdict, when, where and how often it was looked at.

    ``before_training``: before the first step. ``followed`` is the tensor that it was seen to follow, at ``rate``,
    ``near`` one that it equals at the end; ``copies``: how often it had the bits of the first after a write, of how
    many. ``digests`` and ``sample`` are for processes to compare. ``still``: since when it stands still.
    """

    verdict: Answer = "unknown"
    first_step: int | None = None
    last_step: int | None = None
    during: list[str] = field(default_factory=list)
    checks: int = 0
    checked_until: int = 0
    blocks: int = 0
    blocks_moved: int = 0
    before_training: bool = False
    followed: str | None = None
    rate: float | None = None
    copies: tuple[int, int] | None = None
    near: str | None = None
    digests: tuple[str, str] | None = None
    sample: ReplicaSample | None = None
    movements: list[Movement] = field(default_factory=list)
    still: Standstill | None = None
    back_at: int | None = None
    put_back: int | None = None
    reason: str | None = None


@dataclass(slots=True)
class RowsSeen:
    """Rows (or single elements) of a tensor that were compared one by one, and what became of them.

    ``expected`` and ``pattern`` are the user's word for them; without it they are those whose gradient autograd made
    and something in the script set to zero before the step (``how`` says what), at every one of ``checks`` checks.
    ``moved`` of ``compared`` have other bits than at first, in the rows ``ranges``; ``ratio``: all by w' = ratio·w.
    """

    unit: Literal["row", "element"]
    compared: int
    moved: int
    ranges: list[str] = field(default_factory=list)
    expected: str | None = None
    pattern: str | None = None
    how: str | None = None
    checks: int = 0
    first_step: int | None = None
    place: Place | None = None
    optimizer: str | None = None
    lr: float | None = None
    weight_decay: float | None = None
    state: bool | None = None
    ratio: float | None = None


@dataclass(slots=True)
class Owner:
    """The module or layer that holds the tensor: its type, path, role and what was seen of its calls.

    ``called`` is None where calls were not watched; ``recorded`` says that a call recorded gradients, ``detached`` that
    what it returned was cut from them, ``output_got_gradient`` that a gradient came back to what it returned,
    ``dropped`` that the module that called it returned nothing that depends on it; ``sibling_called`` that a module of
    the same type beside it was called; ``in_training`` whether one of the calls found it in training mode.
    """

    path: str = ""
    type: str = ""
    role: Role = "other"
    called: bool | None = None
    recorded: bool | None = None
    detached: bool | None = None
    output_got_gradient: bool | None = None
    dropped: bool | None = None
    sibling_called: bool | None = None
    in_training: bool | None = None
    rewrites_in_forward: bool | None = None
    frozen_subtree: str | None = None
    default_initialised: bool | None = None


@dataclass(slots=True)
class TensorRow:
    """One tensor of the ledger: every name it has, what it is, and the five columns.

    ``sharded`` says that this process holds only a ``part`` of it (shape and size are those of the whole), ``shared``
    that others may write to its memory, ``as_buffer`` that a parameter is registered as a buffer with a gradient.
    ``gone`` says that its model lives on without it, as another tensor was put in its place. ``read`` says whether a
    forward pass took it from its module, ``zeros`` that all values of a tensor that did not change are zero (both None
    where that was not watched). ``cleared`` says that a backward pass made a gradient of it, of which nothing was left
    when the step came. ``copied_at`` is the step at which it and its namesake in another model were seen to have the
    same bits, ``replaced_at`` the step after which another took its place, while an optimizer kept to the former.
    """

    name: str
    model: str
    kind: Kind
    shape: tuple[int, ...]
    dtype: str
    bytes: int
    size: int
    aliases: list[str] = field(default_factory=list)
    owner: Owner = field(default_factory=Owner)
    expected: str | None = None
    expected_pattern: str | None = None
    declared: Declared = field(default_factory=Declared)
    optimizers: list[Holding] = field(default_factory=list)
    changed: Changed = field(default_factory=Changed)
    saved: Saved | None = None
    rows: list[RowsSeen] = field(default_factory=list)
    overlaps: list[str] = field(default_factory=list)
    former_aliases: list[str] = field(default_factory=list)
    replaced: str | None = None
    gone: bool | None = None
    read: bool | None = None
    zeros: bool | None = None
    replaced_at: int | None = None
    copied_at: int | None = None
    as_buffer: bool | None = None
    cleared: bool | None = None
    sharded: bool | None = None
    part: Part | None = None
    shared: bool | None = None
    registered: bool = True
    reached_by_backward: bool | None = None
    loaded: bool | None = None
    id: int = -1
    unknown: dict[str, str] = field(default_factory=dict)

    @property
    def bytes_here(self) -> int:
        """How many of its bytes this process holds."""
        return self.bytes if self.part is None else self.bytes // max(1, self.size) * self.part.values


@dataclass(slots=True)
class OptimizerRow:
    """One thing that updates tensors: an optimizer, the train step of a compiled model, or the script itself.

    ``by_hand`` marks the last: without an optimizer, what happens between one backward pass and the next is one step.
    ``steps_beside`` counts steps made in another thread than the one observed; nothing was looked at in them.
    ``stateless`` says that it is given the weights and hands back new ones, which the script must put in place itself.
    ``backwards`` counts the backward passes of the run, to judge an optimizer that never stepped. ``checks`` are its
    own steps that were checks, ``checked_at`` the executed steps of all optimizers at each of them, ``rates`` the
    largest learning rate in each, ``last_step`` the steps of all optimizers at its last one. ``foreign_shapes`` are
    those of what it holds and no model has. ``no_gradient_at_last_check``: nothing that it held had one then."""

    id: str
    kind: Literal["optimizer", "compiled-step"]
    name: str
    steps_executed: int = 0
    steps_skipped: int = 0
    last_step: int = 0
    checks: list[int] = field(default_factory=list)
    checked_at: list[int] = field(default_factory=list)
    rates: list[float | None] = field(default_factory=list)
    groups: list[dict[str, float | int | None]] = field(default_factory=list)
    holds: int = 0
    foreign_shapes: list[tuple[int, ...]] = field(default_factory=list)
    no_gradient_at_last_check: bool | None = None
    models: list[str] = field(default_factory=list)
    trains_model: str | None = None
    captured_at: int | None = None
    merged: int = 1
    by_hand: bool = False
    steps_beside: int = 0
    stateless: bool = False
    backwards: int = 0
    loss_scaled: bool | None = None  # by a scale; None, as the next, unless one of the two was seen alone
    gradients_unscaled: bool | None = None
    moved_share: float | None = None  # of the size of the weights that moved most, in all steps that only unscaled


@dataclass(slots=True)
class Expected:
    """What the user said should happen: patterns for frozen and for trained tensors."""

    frozen: list[str] = field(default_factory=list)
    trained: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Ledger:
    """All that was seen of a run, before any judgement."""

    tensors: list[TensorRow] = field(default_factory=list)
    optimizers: list[OptimizerRow] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    expected: Expected = field(default_factory=Expected)
    run: Run = field(default_factory=Run)
    patience: int = 3

    def optimizer(self, optimizer_id: str) -> OptimizerRow:
        """The optimizer with this id; KeyError when there is none."""
        return {optimizer.id: optimizer for optimizer in reversed(self.optimizers)}[optimizer_id]

    def events_of(self, kind: type[Seen]) -> list[Seen]:
        """The events of one kind, in the order in which they were seen."""
        return [event for event in self.events if isinstance(event, kind)]
