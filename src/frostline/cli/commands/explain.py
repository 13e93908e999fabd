"""``frostline explain``: prints the page of one rule."""

from __future__ import annotations

import sys

import click

from frostline.cli import completers
from frostline.cli.group import examples
from frostline.cli.printing import shows_color, write
from frostline.errors import UnknownName


@click.command(epilog=examples("frostline explain F101", "frostline explain frozen-but-decayed"))
@click.argument("rule", shell_complete=completers.rules)
def explain(rule: str) -> None:
    """Print the page of one RULE, given by its code or its name."""
    from frostline.report.pages import rule_page
    from frostline.rules import RULES

    pages = [
        rule_page(one, color=shows_color(sys.stdout)).rstrip()
        for one in RULES
        if rule.lower() in (one.code.lower(), one.slug)
    ]
    if not pages:
        raise UnknownName.among("rule", rule, [name for one in RULES for name in (one.code, one.slug)])
    write("\n\n".join(pages))
