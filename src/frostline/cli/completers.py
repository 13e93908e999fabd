"""What the shell completes: names of rules, formats of reports, files."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem


def rules(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """The names of rules that begin so; their codes, where a code was begun."""
    from frostline.laws import NAMED

    known = [(rule.slug, rule) for rule in NAMED]
    if begun:
        known += [(rule.code, rule) for rule in NAMED]
    return [
        CompletionItem(name, help=f"{rule.code}, {rule.severity}") for name, rule in known if name.startswith(begun)
    ]


def formats(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """The formats of reports."""
    from frostline.report import FORMATS

    return [CompletionItem(name) for name in FORMATS if name.startswith(begun)]


def files(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """The shell's own files: what comes after SCRIPT belongs to the script, and is often a file."""
    return [CompletionItem(begun, type="file")]
