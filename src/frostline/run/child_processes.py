"""Processes below an observed one, however they were started: each that trains writes a part of the run.

A new interpreter finds its orders in the environment (see child_start), a fork has them from its parent. A process that
trains nothing, such as one that loads data, writes nothing and says nothing.
"""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from frostline.core.run import Run
from frostline.errors import RecordError
from frostline.run.ends.interpreter import at_exit
from frostline.run.ends.sigterm import at_sigterm
from frostline.run.environment import VARIABLE
from frostline.run.files import run_folder
from frostline.run.launchers import process_rank
from frostline.run.process_observer import ProcessObserver
from frostline.settings import Settings


@dataclass(frozen=True, slots=True)
class Orders:
    """How the processes below an observed one are to be observed.

    Args:
        folder: of the run, for their parts.
        command: of the run.
        rank: of the process that gives them; a child that has the same has merely inherited its variables.
        settings: of the run.
    """

    folder: Path
    command: list[str]
    rank: int | None
    settings: Settings

    def to_json(self) -> str:
        """The text for the environment."""
        usual, said = msgspec.to_builtins(Settings(), enc_hook=str), msgspec.to_builtins(self.settings, enc_hook=str)
        settings = {name: value for name, value in said.items() if value != usual[name]}
        whole = {"folder": str(self.folder), "command": self.command, "rank": self.rank, "settings": settings}
        return msgspec.json.encode(whole).decode()

    def claim(self) -> Path:
        """A part that this process alone may write."""
        rank = self.own_rank()[0]
        names = [*([] if rank is None else [f"rank-{rank}"]), f"process-{os.getpid()}"]
        for name in (*names, *(f"process-{os.getpid()}{again:03}" for again in range(1000))):
            if (part := run_folder.claimed(self.folder, name)) is not None:
                return part
        raise RecordError(f"{self.folder} is full", "remove it")

    def own_rank(self) -> tuple[int | None, int | None]:
        """This process's rank and the number of processes, where a launcher below the observed process gave them."""
        rank, size = process_rank(os.environ)
        return (rank, size) if rank != self.rank else (None, None)


def read_orders(text: str) -> Orders:
    """The orders that ``Orders.to_json`` wrote."""
    return msgspec.json.decode(text, type=Orders, dec_hook=_path)


def _path(kind: type, value: Any) -> Any:
    return Path(value) if kind is Path else value


class _Family:
    """What this process knows of those that it forks."""

    orders: Orders | None = None
    observer: ProcessObserver | None = None
    is_listening = False
    is_closed_at_end = False


def give(orders: Orders, observer: ProcessObserver) -> None:
    """Let the processes that this one starts be observed, as long as ``stop`` is not called."""
    os.environ[VARIABLE] = orders.to_json()
    _expect_forks(orders, observer)


def stop() -> None:
    """Processes that are started from now on are not observed."""
    os.environ.pop(VARIABLE, None)
    _Family.orders = None


def begin(text: str) -> None:
    """Observe this process, a new interpreter, from now on until it ends."""
    with contextlib.suppress(msgspec.MsgspecError):  # another version's orders
        orders = read_orders(text)
        rank, size = orders.own_rank()
        command = [*sys.orig_argv[1:]] if size is None else list(orders.command)
        observer = ProcessObserver(orders.settings, Run(command, rank=rank, world_size=size), orders.claim)
        observer.install()
        _expect_forks(orders, observer)
        _close_at_end(observer)


def _expect_forks(orders: Orders, observer: ProcessObserver) -> None:
    _Family.orders, _Family.observer = orders, observer
    if not _Family.is_listening and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_forked)
        _Family.is_listening = True


def _forked() -> None:
    """This process was forked from an observed one, with all that it knows."""
    orders, observer = _Family.orders, _Family.observer
    if orders is None or observer is None:
        return
    observer.adopt(orders.settings, Run(list(orders.command)), orders.claim)
    _close_at_end(observer)


def _close_at_end(observer: ProcessObserver) -> None:
    def close(status: int | None, by: str | None) -> None:
        complain(observer.close_child(status, by))

    def terminated(is_idle: bool) -> bool:
        if observer.is_closing:
            return False  # it is about to end by itself
        if is_idle:
            complain(observer.close_child(None, "SIGTERM"))
        else:
            cut_short()
        return True

    def cut_short() -> None:
        complain(observer.cut_short("SIGTERM"))

    if not _Family.is_closed_at_end:
        _Family.is_closed_at_end = True
        at_exit(close)
    observer.after_first_step(lambda: at_sigterm(terminated, when_stuck=cut_short))


def complain(problem: RecordError | None) -> None:
    """Say on stderr that a part could not be stored."""
    if problem is not None and sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"frostline: {problem}\n")


def settings_of_children(settings: Settings, folder: Path) -> Settings:
    """The settings of a run as they hold for the processes below: to store parts, show nothing, and be comparable."""
    quiet = replace(settings, tensorboard=None, track=(), progress=False, fail_on=None)
    return replace(quiet, data=folder, digests=True, is_part=False)
