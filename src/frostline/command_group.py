"""What the commands share: the group that loads some on demand, examples below a page of help, plain usage errors."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import click

from frostline.errors import FrostlineError, did_you_mean

# Commands that bring their own libraries, loaded when they are called, with what the list of commands says of them.
ELSEWHERE = {
    "watch": (
        "frostline.follow",
        "Follow a running training: its record (DATA, or .frostline.json) is shown again at each check.",
    ),
    "completion": (
        "frostline.completion",
        "Print the script that completes frostline's commands, options, rules and files in SHELL.",
    ),
    "diff": (
        "frostline.checkpoints.commands.diff",
        "Tell which tensors differ between OLD and NEW, bit for bit, whatever their formats.",
    ),
    "show": (
        "frostline.checkpoints.commands.show",
        "List the tensors in FILE: names, types, shapes, bytes, digests, and which share storage.",
    ),
    "lock": (
        "frostline.checkpoints.commands.lock",
        "Write one line for each tensor in FILE: name, type, shape and the BLAKE3 of its bytes.",
    ),
    "verify": (
        "frostline.checkpoints.commands.verify",
        "Prove that FILE holds the tensors of LOCK bit for bit, in whatever format and however sharded.",
    ),
}


class Commands(click.Group):
    """A group that loads some commands on demand and answers a wrong name with the nearest right one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.commands, *ELSEWHERE]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in ELSEWHERE:
            found: click.Command = getattr(import_module(ELSEWHERE[cmd_name][0]), cmd_name)
            return found
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List all commands without loading the libraries of any."""
        room = formatter.width - 6 - max(map(len, self.list_commands(ctx)))
        rows = [(name, command.get_short_help_str(room)) for name, command in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl([*rows, *((name, told) for name, (_, told) in ELSEWHERE.items())])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in self.list_commands(ctx) and not args[0].startswith("-"):
            known = self.list_commands(ctx)
            hint = did_you_mean(args[0], known) or f"the commands are {', '.join(known)}"
            if Path(args[0]).is_file():
                hint = f"to observe a script: frostline run {args[0]}"
            raise FrostlineError(f"there is no command '{args[0]}'", hint)
        return super().resolve_command(ctx, args)


def examples(*lines: str) -> str:
    """The lower part of a command's help: lines that can be typed as they are.

    >>> examples("frostline rules").splitlines()[1:]
    ['Examples:', '  frostline rules']
    """
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def usage_error(error: click.ClickException) -> FrostlineError:
    """A usage error in the tool's own two lines; an unknown option names the nearest one."""
    context: Any = getattr(error, "ctx", None)
    hint = f"see `{context.command_path} --help`" if context is not None else ""
    if isinstance(error, click.NoSuchOption):
        names = [name for option in context.command.get_params(context) for name in option.opts if name[:2] == "--"]
        return FrostlineError(
            f"there is no option '{error.option_name}'", did_you_mean(error.option_name, names) or hint
        )
    return FrostlineError(error.format_message().rstrip("."), hint)
