"""How the commands on checkpoint files print a result, name what could not be read, and show progress."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import click
import msgspec

from frostline.checkpoints.checkpoint import Checkpoint
from frostline.checkpoints.digests import Advance, nothing
from frostline.cli.printing import Wanted, place_page, write_out
from frostline.core.collector import collector_paused
from frostline.errors import CheckpointError

LONG_WORK = 2**28
NAMED = 4


def require_apart(wanted: Wanted, *inputs: Path) -> None:
    """Refuse to write over what is being read."""
    for option, file in (("--output", wanted.output), ("--html", wanted.html)):
        if file is not None and any(file.resolve() == path.resolve() for path in inputs):
            raise CheckpointError(f"{option} {file} would replace what is read", "choose another place")


def say_unread(unread: dict[str, str], total: int) -> None:
    """Tell on stderr which entries could not be read, the first few by name and reason."""
    if not unread:
        return
    first = [f"{name} ({reason})" for name, reason in list(unread.items())[:NAMED]]
    more = f", … and {len(unread) - NAMED:,} more" if len(unread) > NAMED else ""
    noun = "entry" if total == 1 else "entries"
    click.echo(
        f"frostline: {len(unread):,} of {total:,} {noun} could not be read: {', '.join(first)}{more}\n"
        f"hint: --allow-unread {next(iter(unread))!r} goes on without it",
        err=True,
    )


def size_of(checkpoint: Checkpoint) -> int:
    return sum(tensor.nbytes for tensor in checkpoint.tensors.values())


def show_result(
    wanted: Wanted, document: Callable[[], dict[str, Any]], view: Callable[[Any], Any], quiet: bool = False
) -> None:
    """Print a result, or write it to the file that is wanted, and make a page of it where that is wanted too.

    Where all is to be ``quiet``, files are written and nothing is printed.
    """
    if not quiet or wanted.output is not None:
        with collector_paused():
            text = _rendered(wanted.form, document, view, sys.stdout if wanted.output is None else None)
        write_out(text, wanted.output)
    if wanted.html is not None:
        with collector_paused():
            page = _rendered("html", document, view, None)
        place_page(page, wanted.html, wanted.opened, quiet=quiet)


def _rendered(
    form: str, document: Callable[[], dict[str, Any]], view: Callable[[Any], Any], paper: TextIO | None
) -> str:
    """A result as JSON, or as the view that ``view`` makes with the module of views; that one is slow to load."""
    if form == "json":
        return msgspec.json.format(msgspec.json.encode(document()), indent=2).decode()
    from frostline.checkpoints.views import render
    from frostline.report import columns, markdown, terminal

    encoding = paper.encoding if paper is not None else "utf-8"
    if form == "markdown":
        return markdown.render(view(render), encoding)
    if form == "html":
        from frostline.report import html

        return html.page(view(render))
    is_terminal = paper is not None and paper.isatty()
    color = is_terminal and not os.environ.get("NO_COLOR")
    return terminal.render(view(render), columns(paper, names=True), color, encoding)


@contextmanager
def progress(total: int) -> Iterator[Advance]:
    """A bar on stderr where somebody is looking and the work is long; a function that moves it."""
    if total < LONG_WORK or not sys.stderr.isatty():
        yield nothing
        return
    guard = threading.Lock()
    with click.progressbar(length=total, file=sys.stderr, show_pos=False) as bar:

        def advance(count: int) -> None:
            with guard:
                bar.update(count)

        yield advance
