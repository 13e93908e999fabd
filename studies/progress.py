"""A progress bar on stderr, which is silent where nobody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

Follow = Callable[[Sequence[Any], str], Iterator[Any]]


@contextmanager
def following() -> Iterator[Follow]:
    """Gives a function that goes through a sequence behind a bar with a name."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(
        *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, disable=not console.is_terminal
    ) as progress:
        yield lambda items, name: progress.track(items, description=name)


def silently(items: Sequence[Any], _name: str) -> Iterator[Any]:
    """Goes through a sequence without a bar."""
    return iter(items)
