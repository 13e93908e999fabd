"""``frostline watch``: follows the record of a run under way and shows it again at each check."""

from __future__ import annotations

import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click
import msgspec
from rich.console import Console
from rich.live import Live
from rich.text import Text

from frostline.cli import options
from frostline.cli.group import examples
from frostline.core.record import Record
from frostline.core.run import is_alive
from frostline.errors import RecordError
from frostline.report import columns, terminal
from frostline.report.form import Line, Span, line
from frostline.report.views import live
from frostline.run.files import pulse, run_folder
from frostline.run.files.stored_run import load

PAUSE = 0.3  # seconds between two looks at the file

State = Literal["running", "removed", "ended", "killed"]
Mark = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Sight:
    """One look at the record: what it said last, its place on disk then, and what has become of the run.

    ``pulse`` are the steps executed by now, and how many a second, where the run is on this machine.
    """

    record: Record
    mark: Mark
    state: State
    pulse: tuple[int, float] | None = None

    @property
    def age(self) -> float:
        """Seconds since the record was written."""
        return max(time.time() - self.mark[1] / 1e9, 0.0)

    @property
    def told(self) -> Line:
        """The state in words."""
        run = self.record.run
        match self.state:
            case "running":
                step, rate = self.pulse if self.pulse is not None else (run.steps, 0.0)
                told = f", {rate:,.3g} steps/s" if rate else ""
                return line(Span(f"running, step {max(step, run.steps):,}{told}", "note"))
            case "removed":
                return line(Span(f"the record was removed after step {run.steps:,}; waiting for another", "warning"))
            case "killed":
                return line(Span(f"the process is gone; known up to step {run.steps:,} only", "warning"))
            case "ended":
                exit = "" if run.exit is None else f" with exit status {run.exit}"
                by = f" ({run.ended_by})" if run.ended_by else ""
                return line(f"ended{exit}{by} after step {run.steps:,}")

    @property
    def document(self) -> dict[str, Any]:
        """The same for programs."""
        record, run = self.record, self.record.run
        step, rate = self.pulse if self.pulse is not None else (run.steps, 0.0)
        return {
            "state": self.state,
            "step": max(step, run.steps),
            "steps_per_second": rate or None,
            "checks": run.checks,
            "checked_step": run.steps,
            "exit": run.exit,
            "totals": record.totals,
            "verdict": record.verdict,
            "findings": [finding for finding in record.findings if finding.ignored is None],
        }


def sights(path: Path, *, wait: bool = False, pause: float = PAUSE) -> Iterator[Sight]:
    """Look at the record again and again until its run is over.

    Args:
        path: of the record, or of the folder of a run of several processes, whose parts are put together.
        wait: there may be no record yet, or that of a run which is over: begin with the next one.
        pause: seconds between two looks.

    Raises:
        RecordError: there is no record, or something else stands (or comes to stand) in its place.
    """
    mark = _mark(path)
    while wait and (mark is None or load(path).run.complete) and _mark(path) == mark:
        time.sleep(pause)
    mark = _mark(path) or (0, 0, 0)  # first, as below: a record that is written meanwhile is read again
    sight = Sight(load(path), mark, "running")
    while True:
        # Asked before the file is read: a last record may just have been written.
        is_gone = is_alive(sight.record.run) is False
        mark = _mark(path)
        try:
            record = sight.record if mark == sight.mark else load(path)
        except RecordError:
            if (mark := _mark(path)) is not None:
                raise
            record = sight.record
        state: State = "ended" if record.run.complete else "removed" if mark is None else "running"
        if state == "running" and is_gone and mark == sight.mark:
            state = "killed"
        sight = Sight(record, mark or sight.mark, state, pulse.read(record.run))
        yield sight
        if state in ("ended", "killed"):
            return
        time.sleep(pause)


def _mark(path: Path) -> Mark | None:
    """What tells one record at ``path``, or the parts that it will be made of, from the next; None where is none."""
    folder = run_folder.found(path if path.is_dir() else run_folder.runs_folder(path))
    marks = [mark for file in (path, *run_folder.parts(folder)) if (mark := _mark_of(file)) is not None]
    if not marks:
        return None
    inodes, times, sizes = zip(*marks, strict=True)
    return sum(inodes), max(times), sum(sizes)


def _mark_of(path: Path) -> Mark | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RecordError(f"cannot read {path}: {error.strerror}", "check the path and its permissions") from None
    return None if stat.S_ISDIR(status.st_mode) else (status.st_ino, status.st_mtime_ns, status.st_size)


@click.command(epilog=examples("frostline watch", "frostline watch run7.json", "frostline watch --wait >> watched.log"))
@options.data
@click.option("--wait", is_flag=True, help="Wait for the first check of the next run.")
@options.as_json_lines
def watch(data: Path | None, wait: bool, as_json: bool) -> int:
    """Follow a running training: its record (DATA, or .frostline.json) is shown again at each check.

    Of a run of several processes the records are put together; DATA may name the folder of the run.

    In a terminal the picture is redrawn; elsewhere each check is a line, with --json a document. It ends when the run
    ends; Ctrl-C ends it earlier and leaves the run alone.
    """
    from frostline.settings import DEFAULT_DATA, load

    path = data or load().data or DEFAULT_DATA
    seen = sights(path, wait=wait)
    console = Console(highlight=False)
    if as_json:
        _list(seen, lambda sight: msgspec.json.encode(sight.document).decode())
    elif console.is_terminal and not console.is_dumb_terminal:
        _draw(seen, console)
    else:
        _list(seen, lambda sight: live.row(sight.record, sight.told))
    return 0


def _list(seen: Iterator[Sight], said: Callable[[Sight], str]) -> None:
    """A line for each record that is another than the last."""
    told: tuple[Mark, State] | None = None
    for sight in seen:
        if (sight.mark, sight.state) != told:
            sys.stdout.write(said(sight) + "\n")
            sys.stdout.flush()
        told = (sight.mark, sight.state)


def _draw(seen: Iterator[Sight], console: Console) -> None:
    """One picture, drawn again at each look; the last one stays."""
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as picture:
        for sight in seen:
            lines = shutil.get_terminal_size().lines
            view = live.build(sight.record, sight.told, sight.age)
            drawn = terminal.render(view, columns(sys.stdout), not console.no_color, sys.stdout.encoding)
            picture.update(Text.from_ansi(_cut(drawn, lines - 1), no_wrap=True), refresh=True)


def _cut(drawn: str, height: int) -> str:
    """The first lines of a picture that is too high, and its last one."""
    lines = drawn.split("\n")
    if len(lines) <= height:
        return drawn
    return "\n".join([*lines[: max(height - 2, 0)], f"({len(lines) - height + 1} lines more)", lines[-1]])
