"""Updates that were applied to arrays with values, outside every compiled function: here one can look."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from frostline.frameworks.jax.tensors.paths import Arrays, Path, is_array
from frostline.frameworks.jax.tensors.tensors import bytes_of
from frostline.frameworks.jax.traces.proofs import Learned, Proof
from frostline.frameworks.jax.traces.records import Applied, Record, StateGiven


def concrete(records: Iterable[Record], arrays: Arrays) -> Learned:
    """What one step tells of the arrays that it was handed.

    Args:
        records: what hooks saw in the step.
        arrays: that it was handed, by path.
    """
    learned = Learned()
    path_of: dict[int, Path] = {id(array): path for path, array in arrays.items()}
    for record in records:
        if isinstance(record, StateGiven):
            learned.state |= {path_of[id(value)] for value in record.values if id(value) in path_of}
        if not isinstance(record, Applied):
            continue
        learned.line = learned.line or record.line
        for update in record.updates:
            path = path_of.get(id(update.value))
            if path is None:
                continue
            learned.pairs[path] = path
            learned.proofs[path] = Proof(
                inner=update.path,
                optimizer=record.optimizer,
                applied=True,
                raw=update.gradient is not None and update.update is update.gradient,
                gradient_zero=_is_zero(update.gradient),
                update_zero=_is_zero(update.update),
                zeroed=update.path in record.zeroed,
                masked=update.path in record.masked,
            )
    return learned


def _is_zero(array: Any) -> bool | None:
    """Unknown for what stands for an array in a trace: MultiSteps has its optimizer traced in eager loops too."""
    return not np.any(bytes_of(array)) if is_array(array) else None
