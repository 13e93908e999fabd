"""``frostline explain`` prints the page of one rule or law, ``frostline rules`` the list of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from frostline.cli import completers, options
from frostline.cli.group import examples
from frostline.cli.printing import shows_color, write_either
from frostline.errors import UnknownName

if TYPE_CHECKING:
    from frostline.laws.causes.cause import Cause
    from frostline.laws.law import Law

_SAID = ("code", "slug", "severity", "law", "statement", "means", "matters", "remedy", "tells_apart", "cannot_see")


@click.command(
    epilog=examples("frostline explain L1", "frostline explain F101", "frostline explain frozen-but-decayed")
)
@click.argument("rule", shell_complete=completers.rules)
@options.as_json
@options.output
def explain(rule: str, as_json: bool, output: Path | None) -> None:
    """Print the page of one RULE or law, given by its code or its name."""
    from frostline.laws import known
    from frostline.laws.causes import CAUSES
    from frostline.laws.law import Law
    from frostline.report.pages import law_page, rule_page
    from frostline.settings import load

    color, wanted, named = output is None and shows_color(sys.stdout), rule.lower(), known(load().laws)
    found = [one for one in named if wanted in (one.code.lower(), one.slug)]
    if not found:
        raise UnknownName.among("rule", rule, [name for one in named for name in (one.code, one.slug)])
    pages = (
        law_page(one, CAUSES, color=color) if isinstance(one, Law) else rule_page(one, color=color) for one in found
    )
    write_either(
        lambda: "\n\n".join(page.rstrip() for page in pages), lambda: list(map(_document, found)), as_json, output
    )


@click.command(epilog=examples("frostline rules", "frostline rules --json"))
@options.as_json
@options.output
def rules(as_json: bool, output: Path | None) -> None:
    """List the laws, and the rules that explain their violations, a line each."""
    from frostline.laws import known
    from frostline.report.pages import rule_list
    from frostline.settings import load

    color = output is None and shows_color(sys.stdout)
    named = known(load().laws)
    write_either(lambda: rule_list(named, color=color), lambda: list(map(_document, named)), as_json, output)


def _document(one: Law | Cause) -> dict[str, Any]:
    return {name: value for name in _SAID if (value := getattr(one, name, None))}
