"""Processes that a script starts by itself: each is observed like a rank of a launcher.

``multiprocessing`` hands the process object to the new process, pickled or as a copy. So what to do there travels with
that object, and nothing of ours stands around the script's own function, in no traceback either.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from frostline.core.ledger import Run
from frostline.run.places import record_path
from frostline.run.process_observer import ProcessObserver
from frostline.run.script import Ending
from frostline.settings import Settings

if TYPE_CHECKING:
    from frostline.core.record import Record

_MODULE = "multiprocessing.process"
_TORCH_SPAWN = "torch.multiprocessing.spawn"
_LIBRARIES = {"concurrent", "joblib", "multiprocessing", "torch"}
_ATTRIBUTE = "_frostline_orders"
_OURS_FIRST = 1000  # priority at the end of a process: before its queues and temporary files go


class ChildProcesses:
    """The processes that the script has started so far.

    Args:
        settings: of the run; every process writes a record beside the one named there.
        run: how the script was started.
        observer: of this process, which goes on in those that are forked.
    """

    def __init__(self, settings: Settings, run: Run, observer: ProcessObserver) -> None:
        self._settings, self._run, self._observer = settings, run, observer
        self._paths: dict[Path, None] = {}
        self._process = os.getpid()

    def install(self) -> None:
        """Take note of processes from the moment at which the script can make some."""
        import wrapt

        def listen(module: Any) -> None:
            wrapt.wrap_function_wrapper(module, "BaseProcess.start", self._start)

        wrapt.register_post_import_hook(listen, _MODULE)

    def _start(self, original: Callable[[], None], process: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self._settings.data is None or os.getpid() != self._process or not _may_train(process):
            return original(*args, **kwargs)
        from multiprocessing.util import register_after_fork

        orders = self._orders(process)
        register_after_fork(orders, _Orders.take_over)  # which holds them weakly: for this one start
        setattr(process, _ATTRIBUTE, orders)
        try:
            return original(*args, **kwargs)
        finally:
            delattr(process, _ATTRIBUTE)

    def _orders(self, process: Any) -> _Orders:
        rank = process._args[1] if _module_of(process) == _TORCH_SPAWN else None
        path = record_path(self._settings.data, f"process-{process._identity[-1]}" if rank is None else rank)
        assert path is not None
        self._paths[path] = None
        settings = replace(self._settings, data=path, tensorboard=None, progress=False, digests=True)
        return _Orders(process, settings, Run(self._run.command, rank=rank), self._observer)

    def record(self, own: Record | None, status: int) -> Record | None:
        """What the processes recorded since the script began, as one and stored as the run's; None if there is nothing.

        Args:
            own: what this process recorded, if it trained as well.
            status: with which the script ended.

        Raises:
            RecordError: a record cannot be read, or the one of all cannot be written.
        """
        from frostline.core import store
        from frostline.judging import load

        _wait()
        records = [load(path) for path in self._paths if path.exists()]
        records = [record for record in records if record.run.started >= self._run.started]
        if not records:
            return None
        record = self._together([*([] if own is None else [own]), *records])
        record = replace(record, run=replace(record.run, exit=status))
        assert self._settings.data is not None
        store.save(record, self._settings.data)
        return record

    def _together(self, records: list[Record]) -> Record:
        """As ranks of one training where every process has a rank of its own; otherwise merely side by side."""
        from frostline.run.combine import combine

        ranks = {record.run.rank for record in records}
        of_one_training = None not in ranks and len(ranks) == len(records)
        if len(records) == 1:
            return replace(records[0], run=replace(records[0].run, rank=None, world_size=None))
        if not of_one_training:
            records = [replace(record, run=replace(record.run, rank=index)) for index, record in enumerate(records)]
        return combine(records, self._settings.policy(), compare=of_one_training)


class _Orders:
    """How one process is to be observed. Sent to a new interpreter, they are carried out as they arrive."""

    def __init__(self, process: Any, settings: Settings, run: Run, observer: ProcessObserver) -> None:
        self._process, self._settings, self._run, self._observer = process, settings, run, observer

    def __reduce__(self) -> tuple[Any, ...]:
        return begin, (self._settings, self._run)

    def take_over(self) -> None:
        """Go on observing in this process, which was forked while the parent was observed."""
        from multiprocessing.process import current_process

        if current_process() is self._process:
            self._observer.adopt(self._settings, self._run)
            _close_at_end(self._observer)


def begin(settings: Settings, run: Run) -> None:
    """Observe this process from now on until it ends."""
    from multiprocessing.util import register_after_fork

    observer = ProcessObserver(settings, run)
    observer.install()
    _close_at_end(observer)
    register_after_fork(observer, _close_at_end)  # a fork server's process forgets what it is to do at its end


def _close_at_end(observer: ProcessObserver) -> None:
    from multiprocessing.util import Finalize

    if not observer.is_forked():
        Finalize(None, _close, args=(observer,), exitpriority=_OURS_FIRST)


def _close(observer: ProcessObserver) -> None:
    error = sys.exc_info()[1]  # what is ending the process: multiprocessing cleans up on its way
    failed = error is not None and not (isinstance(error, SystemExit) and not error.code)
    if not observer.is_idle_fork():
        observer.close(Ending(int(failed)))


def _may_train(process: Any) -> bool:
    """Whether the script itself says what runs there; a library's own processes load data or wait for tasks."""
    module = _module_of(process)
    return module == _TORCH_SPAWN or module.partition(".")[0] not in _LIBRARIES


def _module_of(process: Any) -> str:
    said_by = type(process) if process._target is None else process._target
    return str(getattr(said_by, "__module__", ""))


def _wait() -> None:
    """Wait for what python waits for as well before it ends, but only when the report has been printed."""
    from multiprocessing import active_children

    with contextlib.suppress(KeyboardInterrupt):
        for process in active_children():
            if not process.daemon:
                process.join()
