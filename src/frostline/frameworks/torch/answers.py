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
from frostline.frameworks.torch.tensors.tensors import NamedTensor, host_bytes
from frostline.observe.protocols import Hold, LiveTensor, MaskedGradient


class Answers:
    """Implements ``frostline.observe.protocols.Probe``; instruments add to some answers through signals.

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

    def flags(self, *, whole: bool) -> list[bool | None] | None:
        """See Probe."""
        return self.models.flags.read() if whole or self.models.flags.may_differ() else None

    def refresh(self) -> None:
        """See Probe."""
        self.models.name_late()
        self.models.refresh()
        self.models.hidden()
        for refreshed in self._signals.refreshed:
            refreshed()

    def holds(self, optimizer_row: Hashable) -> dict[Hashable, Hold]:
        """See Probe."""
        holds: dict[Hashable, Hold] = {}
        for optimizer in self.optimizers.of(optimizer_row):
            holds.update(optimizer_state.holds(optimizer, self.models.keys()))
        for add in self._signals.holds_read:
            add(optimizer_row, holds)
        return holds

    def rates(self, optimizer: Hashable) -> list[float | None]:
        """See Probe."""
        return self.optimizers.rates(optimizer, waiting=self.models.observer.checking)

    def update_ulp(self, optimizer: Hashable, entry: LiveTensor) -> float | None:
        """See Probe."""
        assert isinstance(entry, NamedTensor)
        update = self.optimizers.step_bound(optimizer, entry.tensor) if entry.tensor is not None else None
        if update is None:
            return None
        return update_in_ulp(entry.read(), host_bytes(entry.own(update)), entry.row.dtype, update_dtype="float64")

    def negligible(self, optimizer: Hashable, entry: LiveTensor) -> bool:
        """See Probe."""
        assert isinstance(entry, NamedTensor)
        gradient = entry.tensor.grad if entry.tensor is not None else None
        return gradient is not None and self.optimizers.negligible(optimizer, entry.own(gradient))

    def digests(self, tensors: Iterable[LiveTensor]) -> dict[Hashable, Digest]:
        """See Probe."""
        return self._device_digests.of(tensors)

    def masked_gradients(self) -> dict[Hashable, MaskedGradient]:
        """See Probe."""
        found: dict[Hashable, MaskedGradient] = {}
        for add in self._signals.masked:
            add(found)
        return found

    def copies(self, entry: LiveTensor, content: bytes) -> str | None:
        """See Probe."""
        assert isinstance(entry, NamedTensor)
        return named_tensor_with(content, entry, self.optimizers.known())

    def states(self, entry: LiveTensor) -> Iterable[tuple[str, bytes]]:
        """See Probe."""
        assert isinstance(entry, NamedTensor)
        return self.optimizers.states(entry.tensor, entry.own) if entry.tensor is not None else ()

    def kin(self, entry: LiveTensor) -> Iterable[LiveTensor]:
        """See Probe."""
        assert isinstance(entry, NamedTensor)
        return kin_of(entry, self.models.tensors)

    def watch_forwards(self, wanted: bool) -> None:
        """See Probe."""
        for want in self._signals.forwards_wanted if wanted else ():
            want()

    def finish_rows(self) -> None:
        """See Probe."""
        for finish in self._signals.finished:
            finish()
