"""``frostline verify``: the proof that a checkpoint still holds the tensors of a lock."""

from __future__ import annotations

from pathlib import Path

import click

from frostline.checkpoints.lock import lock_file, verification
from frostline.checkpoints.naming import parsed_renames
from frostline.checkpoints.opening import open_checkpoint
from frostline.checkpoints.views import documents
from frostline.cli.checkpoint_options import ALL, ALLOW_UNREAD, FILE, QUIET, RENAME, SHOWN, result_output
from frostline.cli.checkpoint_output import progress, require_apart, say_unread, show_result, size_of
from frostline.cli.group import examples
from frostline.cli.options import PageCommand
from frostline.cli.printing import Wanted
from frostline.errors import CheckpointError


@click.command(
    cls=PageCommand,
    epilog=examples(
        "frostline verify tuned.safetensors weights.lock --may-differ 'head.**'",
        "frostline verify tuned.safetensors --against base/ --may-differ 'lm_head.*'",
        "frostline verify adapter.pt base.lock --partial --may-differ '**.lora_*.**'",
    ),
)
@click.argument("file", type=FILE)
@click.argument("lock", type=FILE, required=False)
@click.option("--against", type=FILE, metavar="CHECKPOINT", help="A checkpoint in place of LOCK: a file, or a folder.")
@click.option(
    "--may-differ", multiple=True, metavar="PATTERN", help="Tensors that may change, be new, or be gone; repeatable."
)
@click.option("--partial", is_flag=True, help="FILE need not hold every tensor of LOCK.")
@RENAME
@ALLOW_UNREAD
@result_output
@ALL
@QUIET
def verify(
    file: Path,
    lock: Path | None,
    against: Path | None,
    may_differ: tuple[str, ...],
    partial: bool,
    renames: tuple[str, ...],
    allow_unread: tuple[str, ...],
    wanted: Wanted,
    everything: bool,
    quiet: bool,
) -> int:
    """Prove that FILE holds the tensors of LOCK bit for bit, in whatever format and however sharded.

    With --against a checkpoint is read in place of LOCK, such as the folder of a model with its index and shards.

    Exit status: 0 proven, 1 something differs, is missing or is new, 2 could not tell.
    """
    reference = _reference(lock, against)
    require_apart(wanted, file, reference)
    pairs = parsed_renames(renames)
    entries = lock_file.load(reference) if lock else _locked(reference)
    with open_checkpoint(file) as checkpoint, progress(0 if quiet else size_of(checkpoint)) as advance:
        names = [*entries, *checkpoint.tensors]
        for pattern, hint in verification.unmatched(may_differ, names):
            click.echo(f"frostline: --may-differ {pattern} matches nothing{f'; {hint}' if hint else ''}", err=True)
        result = verification.verify(
            checkpoint,
            entries,
            may_differ=may_differ,
            partial=partial,
            renames=pairs,
            allow_unread=allow_unread,
            advance=advance,
        )
    limit = None if everything else SHOWN
    title = f"{file} against {reference}"
    show_result(
        wanted,
        lambda: documents.of_verification(result),
        lambda render: render.of_verification(result, title, limit),
        quiet,
    )
    if not quiet:
        say_unread(dict(result.unknown), len(set(names)))
    return result.exit_status


def _reference(lock: Path | None, against: Path | None) -> Path:
    """What the file is held against: exactly one of a lock and a checkpoint."""
    reference = lock or against
    if reference is None or (lock and against):
        raise CheckpointError("verify needs a LOCK or --against CHECKPOINT, and one of them", "frostline verify --help")
    return reference


def _locked(path: Path) -> dict[str, lock_file.Entry]:
    """The lock that a checkpoint would have."""
    with open_checkpoint(path) as checkpoint, progress(size_of(checkpoint)) as advance:
        return {entry.name: entry for entry in lock_file.locked(checkpoint, advance)}
