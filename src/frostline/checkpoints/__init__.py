"""Checkpoint files: readers of every format, comparison and locks; no framework is imported, no pickle is run."""

from __future__ import annotations

from frostline.checkpoints.checkpoint import Checkpoint, Tensor
from frostline.checkpoints.opening import open_checkpoint as open

__all__ = ["Checkpoint", "Tensor", "open"]
