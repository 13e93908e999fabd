"""What the recorder asks PyTorch at a check: flags, gradients, what optimizers hold, where a value may come from."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from frostline.digest.blocks import Digest
from frostline.digest.shift import update_in_ulp
from frostline.frameworks.torch.models.models import Models
from frostline.frameworks.torch.optimizers import optimizer_state
from frostline.frameworks.torch.optimizers.optimizers import Optimizers
from frostline.frameworks.torch.signals import Signals
from frostline.frameworks.torch.tensors.byte_search import named_tensor_with
from frostline.frameworks.torch.tensors.device_digests import DeviceDigests
from frostline.frameworks.torch.tensors.similar_tensors import kin_of
from frostline.frameworks.torch.tensors.tensors import TorchLeaf, host_bytes
from frostline.observe.live import Hold, LiveLeaf, Withheld


class Answers:
    """Implements ``frostline.observe.live.Probe``; instruments add to some answers through signals.

    Args:
        signals: asked where an instrument knows more.
        fault: takes errors of ours.
    """

    name = "torch"
    models: Models  # these two tell the recorder of what they find, and so are made after it
    optimizers: Optimizers

    def __init__(self, signals: Signals, fault: Callable[[str, BaseException], None]) -> None:
        self._signals = signals
        self._device_digests = DeviceDigests(fault)

    def flags(self) -> list[bool | None]:
        """See Probe."""
        try:
            return [None if reference is None else reference().requires_grad for reference in self.models.flagged]  # type: ignore[union-attr]
        except AttributeError:  # one of the tensors was freed
            return [leaf.flag() if leaf.row.kind == "parameter" else None for leaf in self.models.leaves]

    def refresh(self) -> None:
        """See Probe."""
        self.models.name_late()
        self.models.refresh()
        self.models.hidden()
        for refreshed in self._signals.refreshed:
            refreshed()

    def holds(self, program: Hashable) -> dict[Hashable, Hold]:
        """See Probe."""
        holds: dict[Hashable, Hold] = {}
        for optimizer in self.optimizers.of(program):
            holds.update(optimizer_state.holds(optimizer, self.models.keys()))
        for add in self._signals.holds_read:
            add(program, holds)
        return holds

    def rates(self, program: Hashable) -> list[float | None]:
        """See Probe."""
        return self.optimizers.rates(program, waiting=self.models.observer.checking)

    def update_ulp(self, program: Hashable, leaf: LiveLeaf) -> float | None:
        """See Probe."""
        assert isinstance(leaf, TorchLeaf)
        update = self.optimizers.step_bound(program, leaf.tensor) if leaf.tensor is not None else None
        if update is None:
            return None
        return update_in_ulp(leaf.read(), host_bytes(update), leaf.row.dtype, update_dtype="float64")

    def negligible(self, program: Hashable, leaf: LiveLeaf) -> bool:
        """See Probe."""
        assert isinstance(leaf, TorchLeaf)
        return leaf.tensor is not None and self.optimizers.negligible(program, leaf.tensor)

    def digests(self, leaves: Iterable[LiveLeaf]) -> dict[Hashable, Digest]:
        """See Probe."""
        return self._device_digests.of(leaves)

    def withheld(self) -> dict[Hashable, Withheld]:
        """See Probe."""
        found: dict[Hashable, Withheld] = {}
        for add in self._signals.masked:
            add(found)
        return found

    def copies(self, leaf: LiveLeaf, content: bytes) -> str | None:
        """See Probe."""
        assert isinstance(leaf, TorchLeaf)
        return named_tensor_with(content, leaf, self.optimizers.known())

    def states(self, leaf: LiveLeaf) -> Iterable[tuple[str, bytes]]:
        """See Probe."""
        assert isinstance(leaf, TorchLeaf)
        return self.optimizers.states(leaf.tensor) if leaf.tensor is not None else ()

    def kin(self, leaf: LiveLeaf) -> Iterable[LiveLeaf]:
        """See Probe."""
        assert isinstance(leaf, TorchLeaf)
        return kin_of(leaf, self.models.leaves)

    def watch_forwards(self, wanted: bool) -> None:
        """See Probe."""
        for want in self._signals.forwards_wanted if wanted else ():
            want()

    def frozen_in_place(self) -> None:
        """See Probe."""
        for finish in self._signals.finished:
            finish()
