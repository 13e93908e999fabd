"""The options that the commands on checkpoint files share."""

from __future__ import annotations

from pathlib import Path

import click

from frostline.cli import options

SHOWN = 40  # entries of a list, unless --all
FORMATS = ("text", "markdown", "html", "json")

FILE = click.Path(path_type=Path)
RENAME = click.option(
    "--rename", "renames", multiple=True, metavar="OLD=NEW", help="Names, or modules, that mean the same; repeatable."
)
OUTPUT = click.option("-o", "--output", type=FILE, metavar="FILE", help="Write to FILE in place of stdout.")
ALL = click.option("--all", "everything", is_flag=True, help="List every tensor, however many there are.")
ALLOW_UNREAD = click.option(
    "--allow-unread",
    multiple=True,
    metavar="PATTERN",
    help="Entries that need not be compared where they cannot be read; repeatable.",
)
QUIET = click.option("--quiet", is_flag=True, help="Print nothing; the exit status tells.")

result_output = options.as_wanted(
    click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True),
    options.json,
    options.page_options,
    OUTPUT,
)
"""The options of every command that prints what was found in checkpoints."""
