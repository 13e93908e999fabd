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
    from frostline.laws import NAMED
    from frostline.laws.causes import CAUSES
    from frostline.laws.law import Law
    from frostline.laws.own import own
    from frostline.report.pages import law_page, rule_page

    color, wanted = shows_color(sys.stdout), rule.lower()
    known = [*NAMED, *own()]
    pages = [
        law_page(one, CAUSES, color=color) if isinstance(one, Law) else rule_page(one, color=color)
        for one in known
        if wanted in (one.code.lower(), one.slug)
    ]
    if not pages:
        raise UnknownName.among("rule", rule, [name for one in known for name in (one.code, one.slug)])
    write("\n\n".join(page.rstrip() for page in pages))


@click.command(epilog=examples("frostline rules"))
def rules() -> None:
    """List the laws, and the rules that explain their violations, a line each."""
    from frostline.laws import NAMED
    from frostline.laws.own import own
    from frostline.report.pages import rule_list

    write(rule_list([*NAMED, *own()], color=shows_color(sys.stdout)))
