"""The commands as a user calls them, and the bytes that a reader gives."""

from collections.abc import Sequence
from typing import NamedTuple

from click.testing import CliRunner

from frostline.checkpoints import Tensor
from frostline.cli import cli
from frostline.errors import FrostlineError


class Outcome(NamedTuple):
    """What a command printed and the status it would leave with."""

    status: int
    out: str
    err: str


def call(command: str, *words: object) -> Outcome:
    """Run one command as the command line does; an error of ours is status 2 and two lines, any other is raised."""
    runner = CliRunner()
    result = runner.invoke(cli, [command, *map(str, words)], standalone_mode=False)
    if isinstance(result.exception, FrostlineError):
        return Outcome(2, result.stdout, f"frostline: {result.exception}")
    if result.exception is not None:
        raise result.exception
    return Outcome(int(result.return_value), result.stdout, result.stderr)


def bytes_of(tensor: Tensor) -> bytes:
    """All bytes of a tensor, as its source gives them."""
    return b"".join(bytes(piece) for piece in tensor.source.pieces())


def names(entries: Sequence[dict[str, object]]) -> list[object]:
    """The names in a list of a JSON document."""
    return [entry["name"] for entry in entries]
