"""What the recorder asks JAX at a check: what train steps hold, and where a value may have come from."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from frostline.digest.blocks import Digest
from frostline.frameworks.jax.steps.functions import Function
from frostline.frameworks.jax.tensors.tensors import JaxTensor
from frostline.observe.protocols import Hold, LiveTensor, MaskedGradient, Unreadable


class Answers:
    """Implements ``frostline.observe.protocols.Probe``."""

    name = "jax"

    def __init__(self) -> None:
        self.tensors: list[JaxTensor] = []
        self.declared: list[bool | None] = []
        self.functions: dict[Hashable, Function] = {}
        self.ready: dict[Hashable, Digest] = {}  # of tensors that are taken under observation after their first step
        self.finished: list[Callable[[], None]] = []

    def digests(self, tensors: Iterable[LiveTensor]) -> dict[Hashable, Digest]:
        """See Probe; what was read before a step is the first check at what that step showed."""
        return {entry.key: self.ready.pop(entry.key) for entry in tensors if entry.key in self.ready}

    def flags(self, *, whole: bool) -> list[bool | None]:
        """See Probe; JAX has no flags, and what is declared in its place is known when a step is traced."""
        return self.declared

    def refresh(self) -> None:
        """See Probe; places come up when functions are traced."""

    def holds(self, optimizer: Hashable) -> dict[Hashable, Hold]:
        """See Probe."""
        function = self.functions.get(optimizer)
        return dict(function.holds) if function is not None else {}

    def update_ulp(self, optimizer: Hashable, entry: LiveTensor) -> float | None:
        """See Probe; the size of an update stays inside the step."""
        return None

    def negligible(self, optimizer: Hashable, entry: LiveTensor) -> bool | None:
        """See Probe."""
        return None

    def rates(self, optimizer: Hashable) -> list[float | None]:
        """See Probe; a learning rate that was not injected into the state is a constant of the trace like any other."""
        function = self.functions.get(optimizer)
        return [] if function is None or function.rate is None else [function.number(function.rate)]

    def masked_gradients(self) -> dict[Hashable, MaskedGradient]:
        """See Probe."""
        return {}

    def copies(self, entry: LiveTensor, content: bytes) -> str | None:
        """See Probe."""
        for other in self.tensors:
            if other is not entry and other.row.bytes == len(content) and _bytes(other) == content:
                return other.row.name
        return None

    def states(self, entry: LiveTensor) -> Iterable[tuple[str, bytes]]:
        """See Probe."""
        return ()

    def kin(self, entry: LiveTensor) -> Iterable[LiveTensor]:
        """See Probe."""
        alike = (each for each in self.tensors if each is not entry and each.row.shape == entry.row.shape)
        same_type = [each for each in alike if each.row.dtype == entry.row.dtype and _bytes(each) is not None]
        last = entry.row.name.rpartition(".")[2]
        return sorted(same_type, key=lambda each: each.row.name.rpartition(".")[2] != last)

    def watch_forwards(self, wanted: bool) -> None:
        """See Probe; a forward pass inside a compiled step writes nothing by itself."""

    def finish_rows(self) -> None:
        """See Probe."""
        for finish in self.finished:
            finish()


def _bytes(tensor: JaxTensor) -> bytes | None:
    try:
        return bytes(tensor.read())
    except Unreadable:
        return None
