"""A callback for Lightning: which weights each ``fit`` really trained."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from frostline.integrations.training import Watcher

if TYPE_CHECKING or "pytorch_lightning" not in sys.modules or "lightning" in sys.modules:
    from lightning.pytorch.callbacks import Callback
else:  # the same library under its older name
    from pytorch_lightning.callbacks import Callback


class WatchWeights(Watcher, Callback):  # type: ignore[misc]  # its base is not read here
    """Watch every ``fit`` of the trainer that it is given to, and print what was found at its end.

    Args:
        frozen: patterns of weights that should stay as they are.
        trained: patterns of weights that should change.
        options: ``check_every``, ``patience``, ``fail_on``, ``data`` and ``quiet``, as ``Training`` takes them.

    Raises:
        FindingsError: at the end of ``fit``, where ``fail_on`` asks for it.

    Examples:
        >>> from frostline.integrations.lightning import WatchWeights
        >>> watch = WatchWeights(frozen=["backbone.**"], trained=["head.**"], fail_on="error")
        >>> watch.report is None  # Trainer(callbacks=[watch]).fit(model) makes it
        True
    """

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Look at the model before its optimizers are made."""
        if stage == "fit":
            self.training.begin(pl_module)

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        """``fit`` is over, with all that other callbacks do at the end of the training."""
        self.training.conclude()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """``fit`` was broken off: the error is the trainer's to raise."""
        self.training.end()
