"""Facts: what was seen of a run, one small frozen value for each thing, in the order in which it was seen.

Instruments tell facts, ``fold`` turns them into the ledger, laws judge the ledger. A fact is never a judgement. Tensors
are named by the number that they got when they were found, optimizers by their id. A field that is ``UNSET`` says
nothing: the fact is about the other fields. Steps count the executed steps of all optimizers of a framework.
"""

from __future__ import annotations

from typing import TypeAlias

from frostline.core.events import (
    AddedLossUnread,
    DonatedUsed,
    Event,
    FlagMisspelt,
    FlagsLost,
    GradientLeft,
    LabelUnmatched,
    LayersUntracked,
    LineSeen,
    ModelUsed,
    ModulesRecreated,
    NetworkContinued,
    NetworkInParallel,
    OptimizerIdle,
    ResultDropped,
    StateMisshapen,
    StateReset,
    StepCompiled,
    SteppedTogether,
    SummaryPrinted,
    TensorReplaced,
    TieBroken,
    TrainingCallEmpty,
    UpdateShown,
    VariablesUntracked,
    ZerosFilled,
)
from frostline.core.events.averages import AverageMisplaced, AveragePutIn, CopyKept
from frostline.core.events.fact import Fact, Origin
from frostline.core.events.files import FilesAlike, FileWritten, LoadCompared, LoadLeftOut, LoadMatched, StateHidden
from frostline.core.facts.bits import (
    BaselineTaken,
    CameBack,
    Compared,
    CopyCompared,
    DigestsTaken,
    Doubted,
    Followed,
    Moved,
    MoveExplained,
    PutBack,
    ReplicaSampled,
    RowsCompared,
    StoodStill,
    SwapBegan,
    SwapUndone,
    Unread,
)
from frostline.core.facts.flags import (
    AliasFlagged,
    BufferFrozen,
    FlagDeclared,
    FlagFlipped,
    FlagHeld,
    FlagRequested,
    FlagSeen,
)
from frostline.core.facts.optimizers import (
    GradientsSeen,
    Held,
    HeldByAlias,
    OptimizerChecked,
    OptimizerDropped,
    OptimizerFound,
    OptimizerSeen,
)
from frostline.core.facts.run import Expected, FrameworkSeen, RunSeen
from frostline.core.facts.tensors import ModuleSeen, SavedSettled, TensorFound, TensorsDropped, TensorSeen

__all__ = [
    "AddedLossUnread",
    "AliasFlagged",
    "AnyFact",
    "AverageMisplaced",
    "AveragePutIn",
    "BaselineTaken",
    "BufferFrozen",
    "CameBack",
    "Compared",
    "CopyCompared",
    "CopyKept",
    "DigestsTaken",
    "DonatedUsed",
    "Doubted",
    "Event",
    "Expected",
    "Fact",
    "FileWritten",
    "FilesAlike",
    "FlagDeclared",
    "FlagFlipped",
    "FlagHeld",
    "FlagMisspelt",
    "FlagRequested",
    "FlagSeen",
    "FlagsLost",
    "Followed",
    "FrameworkSeen",
    "GradientLeft",
    "GradientsSeen",
    "Held",
    "HeldByAlias",
    "LabelUnmatched",
    "LayersUntracked",
    "LineSeen",
    "LoadCompared",
    "LoadLeftOut",
    "LoadMatched",
    "ModelUsed",
    "ModuleSeen",
    "ModulesRecreated",
    "MoveExplained",
    "Moved",
    "NetworkContinued",
    "NetworkInParallel",
    "OptimizerChecked",
    "OptimizerDropped",
    "OptimizerFound",
    "OptimizerIdle",
    "OptimizerSeen",
    "Origin",
    "PutBack",
    "ReplicaSampled",
    "ResultDropped",
    "RowsCompared",
    "RunSeen",
    "SavedSettled",
    "StateHidden",
    "StateMisshapen",
    "StateReset",
    "StepCompiled",
    "SteppedTogether",
    "StoodStill",
    "SummaryPrinted",
    "SwapBegan",
    "SwapUndone",
    "TensorFound",
    "TensorReplaced",
    "TensorSeen",
    "TensorsDropped",
    "TieBroken",
    "TrainingCallEmpty",
    "Unread",
    "UpdateShown",
    "VariablesUntracked",
    "ZerosFilled",
]

AnyFact: TypeAlias = (
    TensorFound
    | TensorSeen
    | TensorsDropped
    | FlagDeclared
    | FlagFlipped
    | FlagHeld
    | FlagSeen
    | BufferFrozen
    | FlagRequested
    | AliasFlagged
    | OptimizerFound
    | OptimizerSeen
    | OptimizerChecked
    | OptimizerDropped
    | Held
    | HeldByAlias
    | GradientsSeen
    | BaselineTaken
    | Compared
    | Moved
    | MoveExplained
    | StoodStill
    | CameBack
    | CopyCompared
    | PutBack
    | SwapBegan
    | SwapUndone
    | Followed
    | DigestsTaken
    | ReplicaSampled
    | Unread
    | Doubted
    | RowsCompared
    | ModuleSeen
    | SavedSettled
    | FrameworkSeen
    | Expected
    | RunSeen
    | Event
)
