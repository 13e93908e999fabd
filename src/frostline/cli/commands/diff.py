"""``frostline diff``: which tensors differ between two checkpoints, or what between the records of two runs."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from frostline.checkpoints.diff.compare import compare
from frostline.checkpoints.naming import parsed_renames
from frostline.checkpoints.opening import open_checkpoint
from frostline.checkpoints.views import documents
from frostline.cli.checkpoint_options import ALL, ALLOW_UNREAD, FILE, QUIET, RENAME, SHOWN, result_output
from frostline.cli.checkpoint_output import progress, require_apart, say_unread, show_result, size_of
from frostline.cli.group import examples
from frostline.cli.options import PageCommand
from frostline.cli.printing import Wanted
from frostline.core import run_diff
from frostline.core.storage import store
from frostline.errors import CheckpointError


@click.command(
    cls=PageCommand,
    epilog=examples(
        "frostline diff base.safetensors tuned.safetensors",
        "frostline diff last.pt model.safetensors --only 'head.**'",
        "frostline diff old.keras new.keras --html review.html",
        "frostline diff monday.json .frostline.json",
    ),
)
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
@click.option("--only", multiple=True, metavar="PATTERN", help="Compare tensors that match; repeatable.")
@click.option("--ignore", multiple=True, metavar="PATTERN", help="Leave out tensors that match; repeatable.")
@RENAME
@ALLOW_UNREAD
@result_output
@ALL
@QUIET
def diff(
    old: Path,
    new: Path,
    only: tuple[str, ...],
    ignore: tuple[str, ...],
    renames: tuple[str, ...],
    allow_unread: tuple[str, ...],
    wanted: Wanted,
    everything: bool,
    quiet: bool,
) -> int:
    """Tell which tensors differ between OLD and NEW, bit for bit, whatever their formats.

    Two runs are compared too, by their records or the names that `frostline runs` lists: tensors, columns, findings.

    Exit status: 0 the same, 1 different, 2 could not tell.
    """
    old, new = _kept(old, new), _kept(new, old)
    require_apart(wanted, old, new)
    if store.is_record(old) and store.is_record(new):
        return _diff_of_runs(old, new, wanted, quiet)
    _refuse_record(old, new)
    pairs = parsed_renames(renames)
    with (
        open_checkpoint(old) as before,
        open_checkpoint(new) as after,
        progress(0 if quiet else min(size_of(before), size_of(after))) as advance,
    ):
        found = compare(
            before, after, only=only, ignore=ignore, renames=pairs, allow_unread=allow_unread, advance=advance
        )
    limit = None if everything else SHOWN
    show_result(wanted, lambda: documents.of_diff(found), lambda render: render.of_diff(found, limit), quiet)
    if not quiet:
        say_unread(found.unread, len(found.pairs) + len(found.added) + len(found.removed))
    return found.exit_status


def _kept(path: Path, other: Path) -> Path:
    """The record of the run that is called so, where there is no such file and the other one is no checkpoint."""
    from frostline.run.files.history import named
    from frostline.settings import DEFAULT_DATA

    is_checkpoint = other.exists() and not store.is_record(other)
    is_prefix = path.with_name(f"{path.name}.index").exists()  # as TensorFlow names its checkpoints
    return path if path.exists() or path.suffix or is_checkpoint or is_prefix else named(path, DEFAULT_DATA)


def _refuse_record(old: Path, new: Path) -> None:
    """Refuse a record of a run beside anything else, and blame the other file where that cannot be read."""
    for record, other in ((old, new), (new, old)):
        if store.is_record(record):
            open_checkpoint(other).close()
            raise CheckpointError(
                f"{record} is the record of a run, {other} a checkpoint", "compare two records, or two checkpoints"
            )


def _diff_of_runs(old: Path, new: Path, wanted: Wanted, quiet: bool) -> int:
    from frostline.judging import load
    from frostline.report.views import difference as page

    found = run_diff.compare(load(old), load(new))
    view = page.build(found, str(old), str(new))
    show_result(wanted, lambda: msgspec.to_builtins(found), lambda _: view, quiet)
    return found.exit_status
