"""Takes a script's fingerprint in a fork of the corpus's server: alone, under frostline, or beside a meddler."""

import os
import runpy
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from corpus.running import in_fork, without_durations

FINGERPRINT = Path(__file__).with_name("fingerprint.py")


@dataclass(frozen=True, slots=True)
class Printed:
    """All that a process wrote to its standard output, and what it said when it failed."""

    text: str
    failure: str = ""

    @property
    def fingerprint(self) -> dict[str, str]:
        """Digests by kind of state."""
        words = self.text.rstrip().rpartition("\n")[2].split()
        return dict(word.split("=") for word in words[1:]) if words and words[0] == "fingerprint" else {}

    def differences(self, other: "Printed") -> list[str]:
        """The kinds of state in which two runs differ, and ``output`` where the script's own lines do."""
        mine, theirs = self.fingerprint, other.fingerprint
        kinds = [kind for kind in mine | theirs if mine.get(kind) != theirs.get(kind)]
        return (
            kinds + ["output"] * (self._own_lines != other._own_lines) + ["failure"] * (self.failure != other.failure)
        )

    @property
    def _own_lines(self) -> str:
        return without_durations(self.text.rstrip().rpartition("\n")[0])


def alone(script: Path) -> Printed:
    """The script under python itself."""
    return _in_fork(_alone, (str(script),))


def observed(script: Path, *options: str) -> Printed:
    """The script under ``frostline run`` with these options.

    It counts as a failure when frostline did not do its job: no record, an incomplete one, or errors of its own.
    """
    with tempfile.TemporaryDirectory(prefix="untouched-") as folder:
        return _in_fork(_observed, (str(script), str(Path(folder) / "record.json"), options))


def meddled(script: Path, meddler: Callable[..., None]) -> Printed:
    """The script with ``meddler`` as a global hook after each step of an optimizer: an observer that does touch."""
    return _in_fork(_meddled, (str(script), meddler))


def _in_fork(target: Callable[..., None], arguments: tuple[object, ...]) -> Printed:
    with tempfile.TemporaryDirectory(prefix="untouched-") as folder:
        output, errors = Path(folder) / "stdout.txt", Path(folder) / "stderr.txt"
        work = Path(folder) / "work"
        work.mkdir()
        status = in_fork(_redirected, (output, errors, work, target, arguments))
        said = "" if status == 0 else f"exit {status}: {_last_line(errors)}"
        return Printed(output.read_text(errors="replace"), said)


def _last_line(file: Path) -> str:
    return file.read_text(errors="replace").strip().rpartition("\n")[2][:300]


def _redirected(output: Path, errors: Path, work: Path, target: Callable[..., None], arguments: tuple) -> None:
    for path, descriptor in ((output, 1), (errors, 2)):
        os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC), descriptor)
    os.chdir(work)
    target(*arguments)


def _alone(script: str) -> None:
    sys.argv = [str(FINGERPRINT), script]
    runpy.run_path(str(FINGERPRINT), run_name="__main__")


def _observed(script: str, data: str, options: tuple[str, ...]) -> None:
    from frostline.cli import main

    try:
        main(["run", "--quiet", "--data", data, *options, str(FINGERPRINT), script])
    except SystemExit as ending:
        if ending.code:
            raise
    _require_observed(Path(data))


def _require_observed(data: Path) -> None:
    from frostline import judging

    run = judging.load(data).run
    if not run.complete or run.faults:
        raise RuntimeError(f"the script was not observed to the end: {run.faults}")


def _meddled(script: str, meddler: Callable[..., None]) -> None:
    from torch.optim.optimizer import register_optimizer_step_post_hook

    register_optimizer_step_post_hook(lambda optimizer, *_: meddler(optimizer))
    _alone(script)
