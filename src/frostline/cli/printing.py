"""How the commands print: reports as wide and colourful as their stream allows, errors in two lines on stderr."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from frostline.errors import FrostlineError

if TYPE_CHECKING:
    from frostline.core.record import Record

CANNOT = 2  # the exit status of a command that could not do its job


def write(text: str, paper: TextIO | None = None) -> None:
    """Write ``text`` and a line end to ``paper``, which is standard output if nothing else is named."""
    paper = paper or sys.stdout
    paper.write(text if text.endswith("\n") else text + "\n")
    paper.flush()


def complain(error: FrostlineError, paper: TextIO | None = None) -> int:
    """Print an error and its hint to ``paper`` (stderr), and return the exit status that says so."""
    paper = paper or sys.stderr
    if paper is not None:  # as under pythonw
        lines = [f"frostline: {error.message}", *([f"hint: {error.hint}"] if error.hint else [])]
        write("\n".join(map(_printable, lines)), paper)
    return CANNOT


def _printable(text: str) -> str:
    """``text`` without what a terminal would obey: names of files may hold escape codes."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode("ascii") for c in text)


def shows_color(paper: TextIO) -> bool:
    """Whether ``paper`` is a terminal whose user did not turn colours off."""
    return paper.isatty() and not os.environ.get("NO_COLOR")


def rendered(record: Record, form: str, paper: TextIO | None, pages: str | None = None) -> str:
    """A record as a report in the format ``form``, made for the stream ``paper`` or, without one, for a file.

    Args:
        record: what was seen and judged.
        form: a format of reports.
        paper: the stream that the report will be written to.
        pages: address at which the rules' pages are served.
    """
    from frostline.report import render

    if paper is None:
        return render(record, form, width=80, color=False, encoding="utf-8", pages=pages)
    width = shutil.get_terminal_size().columns if paper.isatty() else 80
    encoding = getattr(paper, "encoding", None)
    return render(record, form, width=width, color=shows_color(paper), encoding=encoding, pages=pages)


def write_out(text: str, output: Path | None, paper: TextIO | None = None) -> None:
    """Write ``text`` to the file ``output`` or, where none is named, to ``paper`` (standard output).

    Raises:
        RecordError: the file cannot be written.
    """
    from frostline.core.storage.store import write_atomically

    if output is None:
        write(text, paper)
    else:
        write_atomically((text if text.endswith("\n") else text + "\n").encode(), output, "--output")


def write_report(record: Record, form: str, output: Path | None, pages: str | None) -> None:
    """Print the report of ``record`` to standard output, or write it to the file ``output``."""
    write_out(rendered(record, form, sys.stdout if output is None else None, pages), output)
