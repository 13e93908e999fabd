"""``frostline completion``: prints the shell's completion script, which is click's own."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from frostline.cli.group import examples

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
