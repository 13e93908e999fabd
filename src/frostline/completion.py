"""Completion in the shell: click's own scripts, and what they offer for rules, formats and files."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem, get_completion_class

from frostline.command_group import examples

SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_FROSTLINE_COMPLETE"  # where click looks for a request, by the name of the program


@click.command(
    epilog=examples(
        "frostline completion bash >> ~/.bashrc",
        "frostline completion zsh >> ~/.zshrc",
        "frostline completion fish > ~/.config/fish/completions/frostline.fish",
    )
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes frostline's commands, options, rules and files in SHELL."""
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(context.find_root().command, {}, "frostline", _VARIABLE).source(), nl=False)


def rules(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """The names of rules that begin so; their codes, where a code was begun."""
    from frostline.rules import RULES

    known = [(rule.slug, rule) for rule in RULES]
    if begun:
        known += [(rule.code, rule) for rule in RULES]
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
