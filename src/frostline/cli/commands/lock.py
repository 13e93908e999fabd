"""``frostline lock``: one line for each tensor of a checkpoint."""

from __future__ import annotations

from pathlib import Path

import click

from frostline.checkpoints.lock import lock_file
from frostline.checkpoints.naming import matches_any
from frostline.checkpoints.opening import open_checkpoint
from frostline.cli import options
from frostline.cli.checkpoint_options import ALLOW_UNREAD, FILE
from frostline.cli.checkpoint_output import progress, require_apart, say_unread, size_of
from frostline.cli.group import examples
from frostline.cli.printing import Wanted, write, write_either


@click.command(epilog=examples("frostline lock model.safetensors -o weights.lock"))
@click.argument("file", type=FILE)
@click.option("-o", "--output", type=FILE, metavar="LOCK", help="Write to LOCK in place of stdout.")
@options.as_json
@ALLOW_UNREAD
def lock(file: Path, output: Path | None, as_json: bool, allow_unread: tuple[str, ...]) -> int:
    """Write one line for each tensor in FILE: name, type, shape and the BLAKE3 of its bytes.

    The lock belongs beside the code: `frostline verify` proves that another file still holds the same bytes. With
    --json the same is one document for programs, and no lock.

    Exit status: 0 every tensor is locked, 2 some could not be read; the lock lists them as unread.
    """
    require_apart(Wanted(output=output), file)
    with open_checkpoint(file) as checkpoint, progress(size_of(checkpoint)) as advance:
        entries = lock_file.locked(checkpoint, advance)
    if as_json:
        write_either(str, lambda: {"blake3": entries}, as_json, output)
    elif output is None:
        write(lock_file.text(entries))
    else:
        lock_file.save(entries, output)
    unread = {
        entry.name: checkpoint.tensors[entry.name].unknown or ""
        for entry in entries
        if not entry.digest and not matches_any(allow_unread, entry.name)
    }
    say_unread(unread, len(entries))
    return 2 if unread else 0
