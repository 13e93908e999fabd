"""Options and arguments that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from frostline.cli import completers
from frostline.core.verdict import FAIL_ON
from frostline.errors import UnknownName

Decorator = Callable[[Any], Any]
FILE = click.Path(path_type=Path)


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


output = click.option("-o", "--output", type=FILE, metavar="FILE", help="Write to FILE in place of stdout.")
json = click.option("--json", "form", flag_value="json", help="The same as --format json.")
report_format = click.option(
    "--format",
    "form",
    default="text",
    show_default=True,
    metavar="FORMAT",
    callback=_known_format,
    help="text, json, markdown, html, sarif or junit.",
    shell_complete=completers.formats,
)
report_output = together(report_format, json, output)  # of every command that prints the report of a run
fail_on = click.option("--fail-on", type=click.Choice(FAIL_ON), help="Exit 1 on such findings (error).")
data = click.argument("data", type=FILE, required=False, metavar="[DATA]")
