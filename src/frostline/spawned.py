"""Processes that a script starts with ``torch.multiprocessing.spawn``: each is observed like a rank of a launcher.

What is sent to such a process is an envelope, which opens into the script's own function once the observation has begun
there. So nothing of ours stands around that function, in no traceback either.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from frostline.core.ledger import Run
from frostline.settings import Settings

if TYPE_CHECKING:
    from frostline.core.record import Record

MODULE = "torch.multiprocessing.spawn"
_OURS_FIRST = 1000  # priority at the end of a process: before its queues and temporary files go


def made_processes() -> bool:
    """Whether the script made processes with ``multiprocessing``; those that load its data count as well."""
    module = sys.modules.get("multiprocessing.process")
    return repr(getattr(module, "_process_counter", None)) not in ("None", "count(1)")  # to ask it would count one more


class Spawned:
    """The processes that the script has spawned so far.

    Args:
        settings: of the run; every process writes a record beside the one named there.
        run: how the script was started.
    """

    def __init__(self, settings: Settings, run: Run) -> None:
        self._settings, self._run = settings, run
        self._paths: dict[Path, None] = {}

    def install(self) -> None:
        """Take note of processes from the moment at which the script imports torch."""
        import wrapt

        def listen(module: Any) -> None:
            wrapt.wrap_function_wrapper(module, "start_processes", self._start)

        wrapt.register_post_import_hook(listen, MODULE)

    def _start(self, original: Callable[..., Any], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        told = inspect.signature(original).bind(*args, **kwargs)
        told.apply_defaults()
        if self._settings.data is None or told.arguments["start_method"] == "fork":
            return original(*args, **kwargs)
        envelope = _Envelope(told.arguments["fn"], self._settings, self._run, told.arguments["nprocs"])
        self._paths |= dict.fromkeys(envelope.settings_of(rank).data for rank in range(envelope.count))  # type: ignore[misc]
        told.arguments["fn"] = envelope
        return original(*told.args, **told.kwargs)

    def record(self, status: int) -> Record | None:
        """What the processes recorded since the script began, as one and stored as the run's; None if there is nothing.

        Raises:
            RecordError: a record cannot be read, or the one of all cannot be written.
        """
        from frostline.combine import combine
        from frostline.core import store

        records = [store.load(path) for path in self._paths if path.exists()]
        records = [record for record in records if record.run.started >= self._run.started]
        if not records:
            return None
        record = combine(records, self._settings.policy()) if len(records) > 1 else records[0]
        record = replace(record, run=replace(record.run, exit=status))
        assert self._settings.data is not None
        store.save(record, self._settings.data)
        return record


class _Envelope:
    """A function on its way to the processes ``0 … count - 1``, which are started in that order."""

    def __init__(self, function: Callable[..., Any], settings: Settings, run: Run, count: int) -> None:
        self._function, self._settings, self._run, self.count = function, settings, run, count
        self._sent = 0

    def settings_of(self, rank: int) -> Settings:
        """How one of the processes is observed."""
        from frostline.runner import record_path

        several = self.count if self.count > 1 else None
        path = record_path(self._settings.data, rank, several)
        return replace(self._settings, data=path, tensorboard=None, progress=False, digests=several is not None)

    def __reduce__(self) -> tuple[Any, ...]:
        rank, self._sent = self._sent, self._sent + 1
        run = Run(self._run.command, rank=rank, world_size=self.count) if self.count > 1 else Run(self._run.command)
        return opened, (self._function, self.settings_of(rank), run)


def opened(function: Callable[..., Any], settings: Settings, run: Run) -> Callable[..., Any]:
    """The function that was sent to this process, which from now on is observed until it ends."""
    from multiprocessing.util import Finalize

    from frostline.runner import ProcessObserver
    from frostline.script import Ending

    observer = ProcessObserver(settings, run)
    observer.install()
    Finalize(None, observer.close, args=(Ending(0),), exitpriority=_OURS_FIRST)
    return function
