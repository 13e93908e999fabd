"""A function of the script whose calls may be steps, and one call of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from frostline.core.events.fact import Origin
from frostline.core.ledger import OptimizerRow, Role
from frostline.digest.blocks import Digest
from frostline.frameworks.jax.tensors.paths import Arrays, Path, in_states
from frostline.frameworks.jax.tensors.tensors import JaxTensor
from frostline.frameworks.jax.traces.proofs import Learned
from frostline.frameworks.jax.traces.records import Record
from frostline.frameworks.jax.traces.tracing import Jitted
from frostline.observe.protocols import Hold


@dataclass(slots=True)
class Kind:
    """What is known of an array without a trace, such as of a variable of nnx: parameter, buffer, or neither.

    ``flag`` is what is declared of it; ``type`` the layer that holds it.
    """

    kind: str
    flag: bool | None = None
    type: str = ""

    def role(self, name: str) -> Role:
        """What kind of state a tensor of that name is, judged by the words in it and by the layer."""
        pieces = [piece.lower() for piece in name.split(".")[1:-1]]
        if self.type:
            pieces.append(self.type.lower())
        if any(piece.startswith("bn") or "norm" in piece for piece in pieces):
            return "normalisation"
        return "embedding" if any("embed" in piece for piece in pieces) else "other"


Kinds: TypeAlias = dict[Path, Kind | None]
NOTHING: Mapping[Path, Digest] = MappingProxyType({})


class Call:
    """One call of a function: the arrays that it is handed, and those that it hands back.

    Args:
        handed: finds the arrays that it is handed, by path; asked once, where somebody wants to know.
        handed_back: finds in its result the arrays that it hands back, by path.
        kinds: tells what is known of the arrays it is handed, where it is known without a trace.
        given: what ``handed`` and ``kinds`` are called with; bound only then, since most calls are not looked at.
        compiled: whether it leads to a compiled function, which is the step.
    """

    __slots__ = ("_arrays", "_given", "_handed", "_kinds", "compiled", "digests", "handed_back", "leads_to", "out")

    def __init__(
        self,
        handed: Callable[..., Arrays],
        handed_back: Callable[[Any], Arrays],
        kinds: Callable[..., Kinds] | None = None,
        given: tuple[Any, ...] = (),
        compiled: bool = True,
    ) -> None:
        self._handed, self._kinds, self._given = handed, kinds, given
        self._arrays: Arrays | None = None
        self.handed_back = handed_back
        self.compiled = compiled
        self.leads_to: tuple[Any, ...] | None = None  # what Jitted is made of: the compiled function and its arguments
        self.out: Any = None  # of that function, until its trace is read
        self.digests: Mapping[Path, Digest] = NOTHING

    @property
    def jitted(self) -> Jitted | None:
        """The call of the compiled function that this one leads to."""
        if self.leads_to is None:
            return None
        jitted = Jitted(*self.leads_to)
        jitted.out = self.out
        return jitted

    @property
    def arrays(self) -> Arrays:
        """The arrays that it is handed."""
        if self._arrays is None:
            self._arrays = self._handed(*self._given)
        return self._arrays

    @property
    def in_states(self) -> set[int]:
        """The ids of those that are in the state of an optimizer of optax, be it that of another step."""
        return in_states(self._given)

    @property
    def kinds(self) -> Kinds:
        """What is known of them without a trace."""
        return self._kinds(*self._given) if self._kinds is not None else {}


@dataclass(slots=True)
class Lowered:
    """A function that was traced and lowered for certain arguments, to be compiled and called by itself.

    ``names`` are those of its parameters that are not static, ``records`` what was seen while it was traced.
    """

    function: Function
    names: list[str]
    traced: Any
    records: list[Record]


@dataclass(slots=True, eq=False, weakref_slot=True)
class Function:
    """A compiled function, or what stands for one where nothing is compiled: an optimizer, a loop by hand.

    ``row`` is that of the train step which it was found to be, ``key`` the row's id. ``tensors`` are those that it is
    handed, by path, and ``pairs`` say where in its result the new value of each is. ``in_place`` says that it writes to
    the objects that it is handed. ``differentiates`` are the arguments of which it gives gradients, without using them.
    ``captured`` are those that were compiled into it. ``under_way`` is its call while it is made; of the last one that
    was made ``result`` is what it handed back, ``handed_back`` finds the arrays in that (None where none was made), and
    ``following`` is the call that came after.
    ``rate`` is the place of the learning rate in what it is handed, ``line`` where the script defines it.
    """

    name: str
    row: OptimizerRow | None = None
    key: str = ""
    label: str = ""
    by_hand: bool = False
    in_place: bool = False
    called: bool = False
    tensors: dict[Path, JaxTensor] = field(default_factory=dict)
    pairs: dict[Path, Path] = field(default_factory=dict)
    captured: list[JaxTensor] = field(default_factory=list)
    holds: dict[Hashable, Hold] = field(default_factory=dict)
    differentiates: list[Path] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    learned: Learned | None = None
    under_way: Call | None = None
    result: Any = None
    handed_back: Callable[[Any], Arrays] | None = None
    following: tuple[Function, Call] | None = None
    dropped: dict[Path, int] = field(default_factory=dict)
    handed_on: set[Path] = field(default_factory=set)
    names: list[str] = field(default_factory=list)
    rate: Path | None = None
    line: Origin | None = None

    def results(self) -> Arrays:
        """The new values of its tensors after the last call, by the paths at which these were handed over."""
        arrays = self.handed_back(self.result) if self.handed_back is not None else {}
        return {path: arrays[end] for path, end in self.pairs.items() if end in arrays}

    def number(self, path: Path) -> float | None:
        """The number that the last call handed back for this place; None where it cannot be read."""
        array = self.results().get(path)
        if array is None or array.size != 1 or getattr(array, "is_deleted", bool)():
            return None
        return float(np.asarray(array).reshape(-1)[0])
