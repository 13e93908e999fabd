"""How the commands print: reports as wide and colourful as their stream allows, errors in two lines on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from frostline.errors import FrostlineError

if TYPE_CHECKING:
    from frostline.core.record import Record
    from frostline.settings import Settings

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


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which report is wanted, and where it goes.

    Args:
        form: a format of reports.
        output: the file it is written to; None is a stream.
        html: the file that a page is written to.
        opened: whether that page is then shown in a browser.
        verbose: whether the text holds all evidence.
    """

    form: str = "text"
    output: Path | None = None
    html: Path | None = None
    opened: bool = False
    verbose: bool = False

    def absolute(self) -> Wanted:
        """The same with whole paths, for a script may go to another folder."""
        html, output = (None if path is None else path.absolute() for path in (self.html, self.output))
        return replace(self, html=html, output=output)


PLAIN = Wanted()


def rendered(
    record: Record, wanted: Wanted, paper: TextIO | None, settings: Settings, stored: str | None = None
) -> str:
    """A record as a report, made for the stream ``paper`` or, where it goes to a file, for that.

    Args:
        record: what was seen and judged.
        wanted: the format, and how much it says.
        paper: the stream that the report will be written to.
        settings: where the rules' pages are served, and which laws are a project's own.
        stored: the file that the run can be read from again.
    """
    from frostline.report import columns, render

    said: dict[str, Any] = {"pages": settings.pages, "stored": stored}
    if wanted.form == "html":
        from frostline.laws import why

        said["why"] = why(settings.laws)
    if paper is None or wanted.output is not None:
        return render(record, wanted.form, width=80, color=False, encoding="utf-8", verbose=wanted.verbose, **said)
    said |= {"width": columns(paper), "color": shows_color(paper), "encoding": getattr(paper, "encoding", None)}
    return render(record, wanted.form, verbose=wanted.verbose, **said)


def write_out(text: str, output: Path | None, paper: TextIO | None = None, option: str = "--output") -> None:
    """Write ``text`` to the file ``output`` that ``option`` named or, without one, to ``paper`` (standard output).

    Raises:
        RecordError: the file cannot be written.
    """
    from frostline.core.storage.store import write_atomically

    if output is None:
        write(text, paper)
    else:
        write_atomically((text if text.endswith("\n") else text + "\n").encode(), output, option)


def write_either(text: Callable[[], str], document: Callable[[], Any], as_json: bool, output: Path | None) -> None:
    """Print a text, or a document as JSON, or write it to the file ``output``.

    Raises:
        RecordError: the file cannot be written.
    """
    import msgspec

    said = msgspec.json.format(msgspec.json.encode(document()), indent=2).decode() if as_json else text()
    write_out(said, output)


def write_report(
    record: Record,
    wanted: Wanted,
    settings: Settings,
    stored: str | None = None,
    paper: TextIO | None = None,
    quiet: bool = False,
) -> None:
    """Print the report of ``record`` to ``paper`` (standard output), or write it to the file that is wanted.

    Which file was written is said, unless all is to be ``quiet``.

    Raises:
        FrostlineError: the file cannot be written, or what the format needs is not installed.
    """
    write_out(rendered(record, wanted, paper or sys.stdout, settings, stored), wanted.output, paper)
    if wanted.output is not None and not quiet:
        _say_written(wanted.output, paper)


def write_page(
    record: Record, page: Path, settings: Settings, opened: bool, paper: TextIO | None = None, quiet: bool = False
) -> None:
    """Write the HTML report of ``record`` to the file ``page``, say so, and show it in a browser where that is wanted.

    Raises:
        FrostlineError: the file cannot be written.
    """
    place_page(rendered(record, Wanted("html"), None, settings), page, opened, paper, quiet)


def place_page(text: str, page: Path, opened: bool, paper: TextIO | None = None, quiet: bool = False) -> None:
    """Write a page to the file that ``--html`` names, say so, and show it in a browser where that is wanted.

    Raises:
        FrostlineError: the file cannot be written.
    """
    write_out(text, page, option="--html")
    if not quiet:
        _say_written(page, paper)
    if opened:
        click.launch(str(page))


def shown(file: Path, here: Path | None = None) -> str:
    """The path of ``file`` as it is written in the folder ``here``, or in the present one."""
    here = here or Path.cwd()
    return str(file.relative_to(here) if file.is_relative_to(here) else file)


def _say_written(file: Path, paper: TextIO | None) -> None:
    click.echo(f"frostline: wrote {_printable(str(file))}", file=paper or sys.stderr)
