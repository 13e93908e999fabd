"""Where our own reading of tensors takes place: out of sight of what the script records, traces or counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.utils._python_dispatch import _disable_current_modes


@contextmanager
def aside() -> Iterator[None]:
    """Nothing done in here is recorded for gradients or seen by the user's tracing and counting modes."""
    with torch.no_grad(), _disable_current_modes():
        yield
