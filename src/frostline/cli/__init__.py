"""The command line: one file a command in ``commands``, which parses, calls and prints, and computes nothing."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

import click

from frostline.cli.group import Commands, examples, usage_error
from frostline.cli.printing import CANNOT, complain, write
from frostline.errors import FrostlineError
from frostline.version import __version__


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave the process with its exit status; errors are two lines on stderr."""
    try:
        status = cli.main(args=arguments, prog_name="frostline", standalone_mode=False)
    except FrostlineError as error:
        status = complain(error)
    except click.ClickException as error:
        status = complain(usage_error(error))
    except click.Abort:
        status = 130
    except BrokenPipeError:  # the reader of stdout has left: `frostline report | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = CANNOT
    except Exception:  # an error of frostline's own; 1 would read as findings
        traceback.print_exc()
        status = CANNOT
    sys.exit(status)


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "frostline demo", "frostline run train.py --epochs 3", "frostline report", "frostline explain F101"
    ),
)
@click.version_option(__version__, prog_name="frostline", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Tell which weights a training run really trained."""
    if context.invoked_subcommand is None:
        write(context.get_help())
