"""A callback for the Trainer of Hugging Face: which weights each ``train`` really trained."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback

from frostline.integrations.training import Watcher


class WatchWeights(Watcher, TrainerCallback):  # type: ignore[misc]  # its base is not read here
    """Watch every ``train`` of the Trainer that it is given to, and print what was found at its end.

    Args:
        frozen: patterns of weights that should stay as they are.
        trained: patterns of weights that should change.
        options: ``check_every``, ``patience``, ``fail_on``, ``data`` and ``quiet``, as ``Training`` takes them.

    Raises:
        FindingsError: at the end of ``train``, where ``fail_on`` asks for it.

    Examples:
        >>> from frostline.integrations.transformers import WatchWeights
        >>> watch = WatchWeights(frozen=["bert.**"], trained=["classifier.**"], fail_on="error")
        >>> watch.report is None  # Trainer(..., callbacks=[watch]).train() makes it
        True
    """

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Look at the model before its first forward pass."""
        self.training.begin(kwargs["model"])

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """``train`` is over."""
        self.training.conclude()
