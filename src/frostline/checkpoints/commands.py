"""The commands on checkpoint files: show, diff, lock, verify."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import click
import msgspec

from frostline.checkpoints import Checkpoint, documents
from frostline.checkpoints import lock as locks
from frostline.checkpoints import open as open_checkpoint
from frostline.checkpoints.compare import compare, parallel
from frostline.checkpoints.digests import Advance, digest_of, nothing
from frostline.checkpoints.naming import matches_any, parsed_renames
from frostline.command_group import examples
from frostline.core import run_diff, store
from frostline.errors import CheckpointError

LONG_WORK = 2**28
SHOWN = 40
NAMED = 4
FORMATS = ("text", "markdown", "html", "json")

_FILE = click.Path(path_type=Path)
_RENAME = click.option(
    "--rename", "renames", multiple=True, metavar="OLD=NEW", help="Names, or modules, that mean the same; repeatable."
)
_FORMAT = click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
_JSON = click.option("--json", "form", flag_value="json", help="The same as --format json.")
_OUTPUT = click.option("-o", "--output", type=_FILE, metavar="FILE", help="Write to FILE in place of stdout.")
_ALL = click.option("--all", "everything", is_flag=True, help="List every tensor, however many there are.")
_ALLOW_UNREAD = click.option(
    "--allow-unread",
    multiple=True,
    metavar="PATTERN",
    help="Entries that need not be compared where they cannot be read; repeatable.",
)
_QUIET = click.option("--quiet", is_flag=True, help="Print nothing; the exit status tells.")


@click.command(epilog=examples("frostline show model.safetensors", "frostline show last.ckpt --no-digests --json"))
@click.argument("file", type=_FILE)
@click.option("--no-digests", is_flag=True, help="Read the table of contents only, and none of the numbers.")
@_FORMAT
@_JSON
@_OUTPUT
def show(file: Path, no_digests: bool, form: str, output: Path | None) -> int:
    """List the tensors in FILE: names, types, shapes, bytes, digests, and which share storage."""
    _require_apart(output, file)
    with open_checkpoint(file) as checkpoint:
        digests: dict[str, str] = {}
        if not no_digests:
            tensors = list(checkpoint.tensors.values())
            with _progress(sum(tensor.nbytes for tensor in tensors)) as advance:
                found = parallel(lambda tensor: digest_of(tensor, advance), tensors, size=lambda t: t.nbytes)
            digests = {tensor.name: digest for tensor, digest in zip(tensors, found, strict=True)}
    _print(
        form,
        lambda: documents.of_checkpoint(checkpoint, digests),
        lambda render: render.of_checkpoint(checkpoint, digests),
        output,
    )
    return 0


@click.command(
    epilog=examples(
        "frostline diff base.safetensors tuned.safetensors",
        "frostline diff last.pt model.safetensors --only 'head.**'",
        "frostline diff old.keras new.keras --format html -o review.html",
        "frostline diff monday.json .frostline.json",
    )
)
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
@click.option("--only", multiple=True, metavar="PATTERN", help="Compare tensors that match; repeatable.")
@click.option("--ignore", multiple=True, metavar="PATTERN", help="Leave out tensors that match; repeatable.")
@_RENAME
@_ALLOW_UNREAD
@_FORMAT
@_JSON
@_OUTPUT
@_ALL
@_QUIET
def diff(
    old: Path,
    new: Path,
    only: tuple[str, ...],
    ignore: tuple[str, ...],
    renames: tuple[str, ...],
    allow_unread: tuple[str, ...],
    form: str,
    output: Path | None,
    everything: bool,
    quiet: bool,
) -> int:
    """Tell which tensors differ between OLD and NEW, bit for bit, whatever their formats.

    Two records of runs are compared too: their tensors, columns and findings.

    Exit status: 0 the same, 1 different, 2 could not tell.
    """
    _require_apart(output, old, new)
    if store.is_record(old) and store.is_record(new):
        return _diff_of_runs(old, new, form, output, quiet)
    _refuse_record(old, new)
    pairs = parsed_renames(renames)
    with (
        open_checkpoint(old) as before,
        open_checkpoint(new) as after,
        _progress(0 if quiet else min(_bytes(before), _bytes(after))) as advance,
    ):
        found = compare(
            before, after, only=only, ignore=ignore, renames=pairs, allow_unread=allow_unread, advance=advance
        )
    if not quiet:
        limit = None if everything else SHOWN
        _print(form, lambda: documents.of_diff(found), lambda render: render.of_diff(found, limit), output)
        _say_unread(found.unread, len(found.pairs) + len(found.added) + len(found.removed))
    return found.exit_status


def _refuse_record(old: Path, new: Path) -> None:
    """Refuse a record of a run beside anything else, and blame the other file where that cannot be read."""
    for record, other in ((old, new), (new, old)):
        if store.is_record(record):
            open_checkpoint(other).close()
            raise CheckpointError(
                f"{record} is the record of a run, {other} a checkpoint", "compare two records, or two checkpoints"
            )


def _diff_of_runs(old: Path, new: Path, form: str, output: Path | None, quiet: bool) -> int:
    from frostline.judging import load
    from frostline.report import difference as page

    found = run_diff.compare(load(old), load(new))
    if not quiet:
        view = page.build(found, str(old), str(new))
        _print(form, lambda: msgspec.to_builtins(found), lambda _: view, output)
    return found.exit_status


@click.command(epilog=examples("frostline lock model.safetensors -o weights.lock"))
@click.argument("file", type=_FILE)
@click.option("-o", "--output", type=_FILE, metavar="LOCK", help="Write to LOCK in place of stdout.")
@_ALLOW_UNREAD
def lock(file: Path, output: Path | None, allow_unread: tuple[str, ...]) -> int:
    """Write one line for each tensor in FILE: name, type, shape and the BLAKE3 of its bytes.

    The lock belongs beside the code: `frostline verify` proves that another file still holds the same bytes.

    Exit status: 0 every tensor is locked, 2 some could not be read; the lock lists them as unread.
    """
    _require_apart(output, file)
    with open_checkpoint(file) as checkpoint, _progress(_bytes(checkpoint)) as advance:
        entries = locks.locked(checkpoint, advance)
    if output is None:
        _write(locks.text(entries))
    else:
        locks.save(entries, output)
    unread = {
        entry.name: checkpoint.tensors[entry.name].unknown or ""
        for entry in entries
        if not entry.digest and not matches_any(allow_unread, entry.name)
    }
    _say_unread(unread, len(entries))
    return 2 if unread else 0


@click.command(
    epilog=examples(
        "frostline verify tuned.safetensors weights.lock --may-differ 'head.**'",
        "frostline verify adapter.pt base.lock --partial --may-differ '**.lora_*.**'",
    )
)
@click.argument("file", type=_FILE)
@click.argument("lock", type=_FILE)
@click.option(
    "--may-differ", multiple=True, metavar="PATTERN", help="Tensors that may change, be new, or be gone; repeatable."
)
@click.option("--partial", is_flag=True, help="FILE need not hold every tensor of LOCK.")
@_RENAME
@_ALLOW_UNREAD
@_FORMAT
@_JSON
@_OUTPUT
@_ALL
@_QUIET
def verify(
    file: Path,
    lock: Path,
    may_differ: tuple[str, ...],
    partial: bool,
    renames: tuple[str, ...],
    allow_unread: tuple[str, ...],
    form: str,
    output: Path | None,
    everything: bool,
    quiet: bool,
) -> int:
    """Prove that FILE holds the tensors of LOCK bit for bit, in whatever format and however sharded.

    Exit status: 0 proven, 1 something differs, is missing or is new, 2 could not tell.
    """
    _require_apart(output, file, lock)
    pairs = parsed_renames(renames)
    entries = locks.load(lock)
    with open_checkpoint(file) as checkpoint, _progress(0 if quiet else _bytes(checkpoint)) as advance:
        names = [*entries, *checkpoint.tensors]
        for pattern, hint in locks.unmatched(may_differ, names):
            click.echo(f"frostline: --may-differ {pattern} matches nothing{f'; {hint}' if hint else ''}", err=True)
        result = locks.verify(
            checkpoint,
            entries,
            may_differ=may_differ,
            partial=partial,
            renames=pairs,
            allow_unread=allow_unread,
            advance=advance,
        )
    if not quiet:
        limit = None if everything else SHOWN
        title = f"{file} against {lock}"
        _print(
            form,
            lambda: documents.of_verification(result),
            lambda render: render.of_verification(result, title, limit),
            output,
        )
        _say_unread(dict(result.unknown), len(set(names)))
    return result.exit_status


def _require_apart(output: Path | None, *inputs: Path) -> None:
    """Refuse to write over what is being read."""
    if output is not None and any(output.resolve() == path.resolve() for path in inputs):
        raise CheckpointError(f"--output {output} would replace what is read", "choose another place")


def _say_unread(unread: dict[str, str], total: int) -> None:
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


def _bytes(checkpoint: Checkpoint) -> int:
    return sum(tensor.nbytes for tensor in checkpoint.tensors.values())


def _print(
    form: str, document: Callable[[], dict[str, Any]], view: Callable[[Any], Any], output: Path | None = None
) -> None:
    """Print a result, or write it to ``output``."""
    if output is None:
        _write(_rendered(form, document, view, sys.stdout))
    else:
        store.write_atomically(_rendered(form, document, view, None).encode(), output, "--output")


def _rendered(
    form: str, document: Callable[[], dict[str, Any]], view: Callable[[Any], Any], paper: TextIO | None
) -> str:
    """A result as JSON, or as the view that ``view`` makes with the module of views; that one is slow to load."""
    if form == "json":
        return msgspec.json.format(msgspec.json.encode(document()), indent=2).decode()
    from frostline.checkpoints import render
    from frostline.report import markdown, terminal

    encoding = paper.encoding if paper is not None else "utf-8"
    if form == "markdown":
        return markdown.render(view(render), encoding)
    if form == "html":
        from frostline.report import html

        return html.page(view(render))
    is_terminal = paper is not None and paper.isatty()
    width = shutil.get_terminal_size().columns if is_terminal else 120
    color = is_terminal and not os.environ.get("NO_COLOR")
    return terminal.render(view(render), width, color, encoding)


def _write(text: str) -> None:
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()


@contextmanager
def _progress(total: int) -> Iterator[Advance]:
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
