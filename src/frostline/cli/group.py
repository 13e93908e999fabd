"""The group of commands: it loads each on demand, answers a wrong name with the nearest, and words usage errors."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import click

from frostline.errors import FrostlineError, did_you_mean

# Each command is the function of its name in commands/<name>.py; here is what the list of commands says of it.
COMMANDS = {
    "run": "Run SCRIPT unchanged and observe which weights it trains.",
    "check": "Run the first 8 optimizer steps of SCRIPT, and fail on errors: a pre-flight check.",
    "report": "Print the report of the last run, or of the one called DATA.",
    "runs": "List the runs that were kept, the latest first: when each began, its command, its steps and its verdict.",
    "watch": "Follow a running training: its record (DATA, or .frostline.json) is shown again at each check.",
    "combine": "Put the records of several processes together (into .frostline.json), and print the report.",
    "diff": "Tell which tensors differ between OLD and NEW, bit for bit, whatever their formats.",
    "show": "List the tensors in FILE: names, types, shapes, bytes, digests, and which share storage.",
    "lock": "Write one line for each tensor in FILE: name, type, shape and the BLAKE3 of its bytes.",
    "verify": "Prove that FILE holds the tensors of LOCK bit for bit, in whatever format and however sharded.",
    "explain": "Print the page of one RULE or law, given by its code or its name.",
    "rules": "List the laws, and the rules that explain their violations, a line each.",
    "demo": "Freeze a model inside a model, print its summary, train, and see that the summary is wrong.",
    "debug": "Print versions, frameworks found, kernels chosen, and why each fallback was taken.",
    "completion": "Print the script that completes frostline's commands, options, rules and files in SHELL.",
}

_SHARED = {"rules": "explain"}  # commands that stand in another's file


class Commands(click.Group):
    """A group that loads its commands on demand and answers a wrong name with the nearest right one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        file = _SHARED.get(cmd_name, cmd_name)
        command: click.Command = getattr(import_module(f"frostline.cli.commands.{file}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List all commands without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = did_you_mean(args[0], COMMANDS) or f"the commands are {', '.join(COMMANDS)}"
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
