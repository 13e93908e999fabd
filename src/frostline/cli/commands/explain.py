"""``frostline explain`` prints the page of one rule or law, ``frostline rules`` the list of them."""

from __future__ import annotations

import sys

import click

from frostline.cli import completers
from frostline.cli.group import examples
from frostline.cli.printing import shows_color, write
from frostline.errors import UnknownName


@click.command(
    epilog=examples("frostline explain L1", "frostline explain F101", "frostline explain frozen-but-decayed")
)
@click.argument("rule", shell_complete=completers.rules)
def explain(rule: str) -> None:
    """Print the page of one RULE or law, given by its code or its name."""
    from frostline.laws import LAWS, NAMED
    from frostline.laws.causes import CAUSES
    from frostline.report.pages import law_page, rule_page

    color, wanted = shows_color(sys.stdout), rule.lower()
    pages = [law_page(law, CAUSES, color=color) for law in LAWS if wanted in (law.code.lower(), law.slug)]
    pages += [rule_page(one, color=color) for one in CAUSES if wanted in (one.code.lower(), one.slug)]
    if not pages:
        raise UnknownName.among("rule", rule, [name for one in NAMED for name in (one.code, one.slug)])
    write("\n\n".join(page.rstrip() for page in pages))


@click.command(epilog=examples("frostline rules"))
def rules() -> None:
    """List the laws, and the rules that explain their violations, a line each."""
    from frostline.laws import NAMED
    from frostline.report.pages import rule_list

    write(rule_list(NAMED, color=shows_color(sys.stdout)))
