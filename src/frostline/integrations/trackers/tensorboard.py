"""Scalars for TensorBoard, in a file of events.

TensorBoard's own record writer is used, which writes to a plain file. Its event writer, and those of the frameworks, go
through TensorFlow's files where that is installed, and would import it.
"""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any

from frostline.core.record import Record
from frostline.integrations.trackers.told import scalars


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
