"""The list of commands is made without loading what they need, and says what the commands say of themselves."""

import subprocess
import sys

import click

from frostline.cli import cli
from frostline.cli.group import COMMANDS


def test_the_list_says_what_the_commands_say() -> None:
    context = click.Context(cli)
    for name, told in COMMANDS.items():
        command = cli.get_command(context, name)
        assert command is not None
        assert (command.name, command.get_short_help_str(200)) == (name, told)


def test_help_loads_no_library_of_a_command() -> None:
    code = (
        "import sys\nfrom frostline import cli\n"
        "try: cli.main(['--help'])\nexcept SystemExit: pass\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert not loaded & {"numpy", "rich", "xxhash", "frostline.checkpoints", "frostline.report"}
    assert all(f"  {name} " in done.stdout for name in ("run", "diff", "verify", "report"))
