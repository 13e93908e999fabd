"""``frostline show``: the tensors in a checkpoint."""

from __future__ import annotations

from pathlib import Path

import click

from frostline.checkpoints.digests import digest_of
from frostline.checkpoints.opening import open_checkpoint
from frostline.checkpoints.parallel import parallel
from frostline.checkpoints.views import documents
from frostline.cli.checkpoint_options import ALL, FILE, result_output
from frostline.cli.checkpoint_output import progress, require_apart, show_result
from frostline.cli.group import examples
from frostline.cli.options import PageCommand
from frostline.cli.printing import Wanted

ROWS = 1000


@click.command(
    cls=PageCommand, epilog=examples("frostline show model.safetensors", "frostline show last.ckpt --no-digests --json")
)
@click.argument("file", type=FILE)
@click.option("--no-digests", is_flag=True, help="Read the table of contents only, and none of the numbers.")
@result_output
@ALL
def show(file: Path, no_digests: bool, wanted: Wanted, everything: bool) -> int:
    """List the tensors in FILE: names, types, shapes, bytes, digests, and which share storage.

    Text lists the first 1,000, or with --all every one; JSON is always complete.
    """
    require_apart(wanted, file)
    limit = None if everything or wanted.form == "json" else ROWS
    with open_checkpoint(file) as checkpoint:
        digests: dict[str, str] = {}
        if not no_digests:
            tensors = list(checkpoint.tensors.values())[:limit]
            with progress(sum(tensor.nbytes for tensor in tensors)) as advance:
                found = parallel(lambda tensor: digest_of(tensor, advance), tensors, size=lambda t: t.nbytes)
            digests = {tensor.name: digest for tensor, digest in zip(tensors, found, strict=True)}
    show_result(
        wanted,
        lambda: documents.of_checkpoint(checkpoint, digests),
        lambda render: render.of_checkpoint(checkpoint, digests, limit),
    )
    return 0
