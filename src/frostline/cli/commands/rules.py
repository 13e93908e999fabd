"""``frostline rules``: lists all laws and rules."""

from __future__ import annotations

import sys

import click

from frostline.cli.group import examples
from frostline.cli.printing import shows_color, write


@click.command(epilog=examples("frostline rules"))
def rules() -> None:
    """List the laws, and the rules that explain their violations, a line each."""
    from frostline.laws import NAMED
    from frostline.report.pages import rule_list

    write(rule_list(NAMED, color=shows_color(sys.stdout)))
