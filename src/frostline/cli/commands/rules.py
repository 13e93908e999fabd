"""``frostline rules``: lists all rules."""

from __future__ import annotations

import sys

import click

from frostline.cli.group import examples
from frostline.cli.printing import shows_color, write


@click.command(epilog=examples("frostline rules"))
def rules() -> None:
    """List all rules, a line each."""
    from frostline.report.pages import rule_list
    from frostline.rules import RULES

    write(rule_list(RULES, color=shows_color(sys.stdout)))
