"""Options and arguments that several commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from frostline.cli import completers
from frostline.cli.printing import Wanted
from frostline.core.verdict import FAIL_ON
from frostline.errors import UnknownName

Decorator = Callable[[Any], Any]
FILE = click.Path(path_type=Path)
PAGE = "frostline.html"  # where --html puts the page unless it is told


class PageCommand(click.Command):
    """A command whose ``--html`` may stand alone: the next word is its FILE only where it ends as a page does.

    ``frostline run --html train.py`` must not write over the script.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        options = (each for each in self.params if isinstance(each, click.Option) and not each.is_flag)
        takes_value = {name for option in options for name in option.opts} - {"--html"}
        words = [*args]
        at = 0
        while at < len(words) and words[at] != "--" and (words[at][:1] == "-" or ctx.allow_interspersed_args):
            if words[at] == "--html" and not (at + 1 < len(words) and words[at + 1].endswith((".html", ".htm"))):
                words[at] = f"--html={PAGE}"
            at += 2 if words[at] in takes_value or words[at] == "--html" else 1
        return super().parse_args(ctx, words)


def together(*decorators: Decorator) -> Decorator:
    """Several options as one decorator; the help lists them in this order."""

    def decorate(function: Any) -> Any:
        for each in reversed(decorators):
            function = each(function)
        return function

    return decorate


def _known_format(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse an unknown format before anything is done; the usual one needs no look at the table."""
    if value not in (None, "text"):
        from frostline.report import FORMATS

        if value not in FORMATS:
            raise UnknownName.among("report format", str(value), FORMATS)
    return value


output = click.option("-o", "--output", type=FILE, metavar="FILE", help="Write to FILE in place of printing.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print one document, for programs.")
as_json_lines = click.option("--json", "as_json", is_flag=True, help="Print a document in each line, for programs.")
json = click.option("--json", "form", flag_value="json", help="The same as --format json.")
report_format = click.option(
    "--format",
    "form",
    default="text",
    show_default=True,
    metavar="FORMAT",
    callback=_known_format,
    help="text, json, markdown, html, sarif, junit or github.",
    shell_complete=completers.formats,
)


page_options = together(
    click.option("--html", type=FILE, metavar="[FILE]", help=f"Write a page to FILE ({PAGE})."),
    click.option("--open", "opened", is_flag=True, help="Show that page in a browser."),
)


def as_wanted(*options: Decorator) -> Decorator:
    """Options that say what is printed and where, which the command is given together as ``wanted``."""

    def decorate(function: Any) -> Any:
        @functools.wraps(function)
        def with_wanted(
            *, form: str, output: Path | None, html: Path | None, opened: bool, verbose: bool = False, **given: Any
        ) -> Any:
            page = Path(PAGE) if html is None and opened else html
            return function(wanted=Wanted(form, output, page, opened, verbose), **given)

        return together(*options)(with_wanted)

    return decorate


report_output = as_wanted(
    report_format,
    json,
    page_options,
    output,
    click.option("--verbose", is_flag=True, help="Show all evidence, and the ledger of every module."),
)
"""The options of every command that prints the report of a run."""


fail_on = click.option("--fail-on", type=click.Choice(FAIL_ON), help="Exit 1 on such findings (error).")
data = click.argument("data", type=FILE, required=False, metavar="[DATA]")
