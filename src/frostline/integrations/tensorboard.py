"""Scalars for TensorBoard, per module and check: what changed, what was too small to change, what drifted frozen.

TensorBoard's own record writer is used, which writes to a plain file. Its event writer, and those of the frameworks, go
through TensorFlow's files where that is installed, and would import it.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from frostline.core.ledger import TensorRow
from frostline.core.record import Record
from frostline.errors import FrostlineError

MODULES = 200  # modules that are told apart; where a model has more, the innermost are added up
_PREFIX = "frostline"


def require_writer() -> None:
    """Make sure that TensorBoard is installed, without importing it.

    Raises:
        FrostlineError: it is not.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise FrostlineError(
            "scalars for TensorBoard need its writer, which is not installed", "pip install 'frostline[tensorboard]'"
        )


def scalars(record: Record) -> dict[str, int]:
    """The scalars of one check by their tags, numbers all of them.

    ``frostline/changed/MODULE`` have other bits than at the first check; the updates of those in ``below_one_ulp`` were
    too small to change any bit; those in ``frozen_drift`` moved while they were declared frozen.
    """
    told: dict[str, int] = {}
    for module, rows in _by_module(record.tensors).items():
        parameters = [row for row in rows if row.kind == "parameter"]
        told[f"{_PREFIX}/changed/{module}"] = _numbers(row for row in parameters if row.changed.verdict == "yes")
        told[f"{_PREFIX}/below_one_ulp/{module}"] = _numbers(row for row in parameters if _is_rounded_away(row))
        told[f"{_PREFIX}/frozen_drift/{module}"] = _numbers(row for row in rows if _drifted(row))
    return told


def _by_module(rows: Iterable[TensorRow]) -> dict[str, list[TensorRow]]:
    """The tensors of each module, by its path from the model on, as deep as there are not too many."""
    paths = [(row.name.split(".")[:-1] or [row.name], row) for row in rows]
    for depth in range(max((len(path) for path, _ in paths), default=0), 0, -1):
        found: dict[str, list[TensorRow]] = {}
        for path, row in paths:
            found.setdefault(".".join(path[:depth]), []).append(row)
        if len(found) <= MODULES or depth == 1:
            return found
    return {}


def _numbers(rows: Iterable[TensorRow]) -> int:
    return sum(row.size for row in rows)


def _is_rounded_away(row: TensorRow) -> bool:
    updates = [holding.update_ulp for holding in row.optimizers if holding.update_ulp is not None]
    return row.changed.verdict == "no" and bool(updates) and max(updates) < 1


def _drifted(row: TensorRow) -> bool:
    return any(movement.trainable is False for movement in row.changed.movements)


class Scalars:
    """A file of events in ``folder``, which TensorBoard shows; it is made at the first check.

    Args:
        folder: TensorBoard's log folder.
    """

    purpose = "writing scalars for TensorBoard"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: Any = None
        self._last: int | None = None

    def write(self, record: Record) -> None:
        """Add the scalars of a check, at the number of executed steps."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        if self._writer is None:
            self._writer = self._opened()
            self._add(Event(wall_time=time.time(), file_version="brain.Event:2"))
        if record.run.steps == self._last:
            return  # the end of the run adds nothing to a check at its last step
        self._last = record.run.steps
        values = [Summary.Value(tag=tag, simple_value=count) for tag, count in scalars(record).items()]
        self._add(Event(wall_time=time.time(), step=record.run.steps, summary=Summary(value=values)))

    def close(self) -> None:
        """No more checks."""
        if self._writer is not None:
            self._writer.close()

    def _opened(self) -> Any:
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time())}.{platform.node()}.{os.getpid()}.frostline"
        return RecordWriter((self._folder / name).open("ab"))

    def _add(self, event: Any) -> None:
        self._writer.write(event.SerializeToString())
        self._writer.flush()


def scalars_in(folder: Path | None) -> Scalars | None:
    """The scalars that go to ``folder``; None where none are wanted."""
    return None if folder is None else Scalars(folder)
