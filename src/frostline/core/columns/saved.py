"""What became of a tensor in the files that a run wrote."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

CopyState = Literal["same", "rounded", "older", "first", "zero", "overflow", "fewer-rows", "other"]


@dataclass(slots=True)
class Copy:
    """What one file that the run wrote holds of a tensor, under ``name``, as it was last written at ``step``.

    ``state`` is ``same`` (the bits of the end of the run), ``rounded`` (those in another type), ``older`` (the bits in
    memory when it was written; they moved on), ``first`` (the bits of the first check, though memory had moved on by
    then), ``zero``, ``overflow`` (not finite where memory is), ``fewer-rows`` (the first ``rows`` rows only) or
    ``other`` (values of its own: an average, an earlier copy). ``taken`` is the step at which the script took the
    state that it wrote later and that is live memory still; ``origin`` names another module whose tensor was written.
    Where the file holds a ``part`` only of a sharded tensor, that says which; ``path`` tells files of one name apart.
    ``put_back`` says that the tensor was trained and held its first bits again, then and at the end; ``rest_zero`` that
    all rows which the file leaves out were zero in memory.
    """

    file: str
    name: str
    step: int
    state: CopyState
    dtype: str = ""
    rows: int | None = None
    taken: int | None = None
    origin: str | None = None
    put_back: bool = False
    rest_zero: bool = False
    part: str = ""
    path: str = ""


@dataclass(slots=True)
class Saved:
    """What became of a tensor in the files that the run wrote: the best copy's state and every copy, the best first.

    ``missing`` says that files hold other tensors of its model, and none holds this one; ``part`` that they hold
    parts of this one, and not all of them.
    """

    state: CopyState | Literal["missing", "part"]
    copies: list[Copy] = field(default_factory=list)
