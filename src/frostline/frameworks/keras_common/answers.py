"""What the recorder asks a Keras at a check: flags, what optimizers hold, how large updates are, where copies are."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from frostline.digest.blocks import Digest
from frostline.frameworks.keras_common.keras_api import Dialect
from frostline.frameworks.keras_common.models.models import Models
from frostline.frameworks.keras_common.optimizers.captured_step import holds
from frostline.frameworks.keras_common.optimizers.gradient_inference import alike, named_copy
from frostline.frameworks.keras_common.optimizers.optimizers import Optimizers
from frostline.frameworks.keras_common.optimizers.update_bounds import update_in_units
from frostline.frameworks.keras_common.signals import Signals
from frostline.frameworks.keras_common.steps import Steps
from frostline.frameworks.keras_common.tensors.tensors import NamedVariable
from frostline.observe.protocols import Hold, LiveTensor, MaskedGradient


class Answers:
    """Implements ``frostline.observe.protocols.Probe``.

    Args:
        dialect: how one generation of Keras spells things.
        signals: tell instruments that a check begins, and that rows are to be completed.
    """

    models: Models  # these tell the recorder of what they find, and so are made after it
    optimizers: Optimizers
    steps: Steps

    def __init__(self, dialect: Dialect, signals: Signals) -> None:
        self.name = dialect.package
        self._dialect = dialect
        self._signals = signals

    def flags(self, *, whole: bool) -> list[bool | None]:
        """See Probe."""
        return [entry.flag() for entry in self.models.tensors]

    def refresh(self) -> None:
        """See Probe."""
        self.models.refresh()
        for refreshed in self._signals.refreshed:
            refreshed()

    def holds(self, optimizer: Hashable) -> dict[Hashable, Hold]:
        """See Probe."""
        return holds(self.optimizers.sources[optimizer], self.models, self._dialect)

    def rates(self, optimizer: Hashable) -> list[float | None]:
        """See Probe; the rate read at the last check, because reading it at every step would wait for the device."""
        return self.steps.rates.get(optimizer, [])

    def update_ulp(self, optimizer: Hashable, entry: LiveTensor) -> float | None:
        """See Probe."""
        assert isinstance(entry, NamedVariable)
        return update_in_units(entry, self.optimizers.sources[optimizer].capture, self._dialect)

    def negligible(self, optimizer: Hashable, entry: LiveTensor) -> bool | None:
        """See Probe."""
        return None

    def digests(self, tensors: Iterable[LiveTensor]) -> dict[Hashable, Digest]:
        """See Probe; no kernel reads what jax or TensorFlow keep on an accelerator."""
        return {}

    def masked_gradients(self) -> dict[Hashable, MaskedGradient]:
        """See Probe; Keras hands gradients over without keeping them."""
        return {}

    def states(self, entry: LiveTensor) -> Iterable[tuple[str, bytes]]:
        """See Probe; the averages that Keras optimizers keep are matched by ``copies``."""
        return ()

    def copies(self, entry: LiveTensor, content: bytes) -> str | None:
        """See Probe."""
        assert isinstance(entry, NamedVariable)
        return named_copy(entry, content, self.optimizers.sources.values(), self.models, self._dialect)

    def kin(self, entry: LiveTensor) -> Iterable[LiveTensor]:
        """See Probe."""
        assert isinstance(entry, NamedVariable)
        return alike(entry, self.models)

    def watch_forwards(self, wanted: bool) -> None:
        """See Probe; forward passes of Keras layers run inside traced steps and cannot be bracketed."""

    def finish_rows(self) -> None:
        """See Probe."""
        for finish in self._signals.finished:
            finish()
