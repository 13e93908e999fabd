"""``frostline check``: the first steps of a script as a pre-flight check, which fails on errors."""

from __future__ import annotations

from typing import Any

import click

from frostline.cli import options
from frostline.cli.commands.run import observe, output_options, script_options
from frostline.cli.group import examples
from frostline.core.verdict import FAIL_ON


@click.command(
    cls=options.PageCommand,
    context_settings={"allow_interspersed_args": False},
    epilog=examples(
        "frostline check train.py --lr 0.1",
        "frostline check --frozen 'backbone.**' train.py",
        "frostline check --steps 100 --fail-on warning -m package.train",
    ),
)
@script_options
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    metavar="N",
    help="End the script after N optimizer steps.",
)
@click.option("--fail-on", type=click.Choice(FAIL_ON), default="error", show_default=True, help="Exit 1 on such.")
@output_options
def check(**given: Any) -> int:
    """Run the first 8 optimizer steps of SCRIPT, and fail on errors: a pre-flight check.

    The same as `frostline run --steps 8 --fail-on error`.

    Exit status: 0 no error was found, 1 there are errors, 2 nothing could be said; the script's own failure passes
    through.
    """
    return observe(**given)
