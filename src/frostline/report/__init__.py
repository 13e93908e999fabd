"""Reports: one view of a record, rendered for people (text, Markdown, HTML) and for programs (JSON, SARIF, JUnit)."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TextIO

from frostline.core.collector import collector_paused
from frostline.core.record import Record
from frostline.core.storage.store import to_json
from frostline.errors import UnknownName

_WIDEST, _PIPED = 120, 80


@dataclass(frozen=True, slots=True)
class Stream:
    """What the output goes to, and how much it says.

    Args:
        width: its columns.
        color: whether it shows colours.
        encoding: what it can print.
        pages: the address of the rules' pages.
        stored: the file that the run can be read from again.
        verbose: whether the text holds all evidence.
        why: why a rule or law matters, by its code, for formats with room for it.
    """

    width: int = 80
    color: bool = False
    encoding: str = "utf-8"
    pages: str | None = None
    stored: str | None = None
    verbose: bool = False
    why: Mapping[str, str] = field(default_factory=dict)


# Each format is loaded when it is asked for: what a run needs to print one of them is part of the run's time.
def _text(record: Record, stream: Stream) -> str:
    from frostline.report import terminal
    from frostline.report.views import full, short

    view = (full if stream.verbose else short).build(record, stream.stored)
    return terminal.render(view, stream.width, stream.color, stream.encoding)


def _markdown(record: Record, stream: Stream) -> str:
    from frostline.report import markdown
    from frostline.report.views import full

    return markdown.render(full.build(record, stream.stored), stream.encoding)


def _json(record: Record, stream: Stream) -> str:
    return to_json(record).decode()


def _html(record: Record, stream: Stream) -> str:
    from frostline.report import html

    return html.render(record, stream.why)


def _sarif(record: Record, stream: Stream) -> str:
    from frostline.report import sarif

    return sarif.render(record, stream.pages)


def _junit(record: Record, stream: Stream) -> str:
    from frostline.report import junit

    return junit.render(record)


def _github(record: Record, stream: Stream) -> str:
    from frostline.report import github

    return github.render(record)


FORMATS: dict[str, Callable[[Record, Stream], str]] = {
    "text": _text,
    "json": _json,
    "markdown": _markdown,
    "html": _html,
    "sarif": _sarif,
    "junit": _junit,
    "github": _github,
}


@collector_paused()
def render(
    record: Record,
    format: str = "text",
    *,
    width: int | None = None,
    color: bool | None = None,
    encoding: str | None = None,
    pages: str | None = None,
    stored: str | None = None,
    verbose: bool = False,
    why: Mapping[str, str] | None = None,
) -> str:
    """``record`` as a report, without a newline at its end.

    Args:
        record: what was seen and judged.
        format: one of ``FORMATS``.
        width: columns; None is the terminal's, at most 120, and 80 where there is none.
        color: None is yes on a terminal, unless ``NO_COLOR`` is set.
        encoding: of the stream that the text will be written to; None is that of standard output.
        pages: address at which the pages of docs/ are served; formats with links to rules leave them out without it.
        stored: the file that the run can be read from again, for the commands that the report names.
        verbose: whether the text holds all evidence and the ledger of every module.
        why: why a rule or law matters, by its code, for formats with room for it.

    Raises:
        UnknownName: there is no such format.

    Example:
        >>> from frostline.core.ledger import Run
        >>> from frostline.core.record import Totals, Verdict
        >>> empty = Record(1, "0.1", Run(complete=True), [], [], Totals(), [], Verdict())
        >>> render(empty, color=False).splitlines()[0]
        'frostline: no contradiction found (0 errors, 0 warnings, 0 notes)'
    """
    if format not in FORMATS:
        raise UnknownName.among("report format", format, FORMATS)
    stream = Stream(
        columns(sys.stdout) if width is None else width,
        _shows_color() if color is None else color,
        encoding or getattr(sys.stdout, "encoding", None) or "utf-8",
        pages,
        stored,
        verbose,
        why or {},
    )
    return FORMATS[format](record, stream)


def _shows_color() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def columns(paper: TextIO | None, names: bool = False) -> int:
    """How wide text is on this stream: as the terminal, up to a readable limit; a file or a pipe gets 80.

    It is the same for all that is printed. ``COLUMNS`` in the environment is heard where a terminal is.

    Args:
        paper: the stream; None is a file.
        names: whether it is a list of names, which a file or a pipe gets as wide as the limit: they are searched there.
    """
    if paper is None or not paper.isatty():
        return _WIDEST if names else _PIPED
    own = os.environ.get("COLUMNS", "")
    try:
        wide = int(own) if own.isdigit() and int(own) else os.get_terminal_size(paper.fileno()).columns
    except (OSError, AttributeError):  # what is a terminal without being a file, as in a notebook
        wide = shutil.get_terminal_size().columns
    return min(wide or _PIPED, _WIDEST)
