"""``frostline demo``: a script whose summary is wrong, run under observation; or the article's experiment."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import click

from frostline.cli import options
from frostline.cli.group import examples
from frostline.cli.printing import Wanted, write
from frostline.errors import FrostlineError

KERAS = ("jax", "torch", "tensorflow")  # its backends, in the order in which they are taken
FLAX = "flax"
ARTICLE = """\
An article froze a model inside a model: the summary said that nothing in it trains, and the article asked whether to
believe it. Here is its experiment (the second of two models is frozen), and after it the variant that it did not try.
"""


@click.command(
    cls=options.PageCommand,
    epilog=examples("frostline demo", "frostline demo --backend torch", "frostline demo --article"),
)
@click.option(
    "--backend",
    type=click.Choice((*KERAS, FLAX)),
    help="The backend of Keras, by default the first of these that is installed; or flax, for the article alone.",
)
@click.option("--article", is_flag=True, help="The experiment that frostline began with, and its variant.")
@click.option("--first", is_flag=True, help="Of the article only the variant: freeze the first of the two models.")
@click.option("--data", type=options.FILE, metavar="FILE", help="Keep the record in FILE.")
@options.report_output
def demo(backend: str | None, article: bool, first: bool, data: Path | None, wanted: Wanted) -> int:
    """Freeze a model inside a model, print its summary, train, and see that the summary is wrong.

    The script is an ordinary one, and knows nothing of frostline. In another format than text, the report alone goes to
    standard output.
    """
    if wanted.form != "text":
        with contextlib.redirect_stdout(sys.stderr):
            return _shown(backend, article, first, data, wanted, sys.__stdout__)
    return _shown(backend, article, first, data, wanted, sys.stdout)


def _shown(
    backend: str | None, article: bool, first: bool, data: Path | None, wanted: Wanted, paper: TextIO | None
) -> int:
    chosen = _backend(backend)
    if not (article or first or chosen == FLAX):
        os.environ["KERAS_BACKEND"] = chosen
        script = _script("freeze.py")
        write(f"$ cat {script.name}\n{script.read_text('utf-8').rstrip()}\n\n$ frostline run {script.name}")
        return _observed(script, [], data, wanted, paper)
    words = [*([] if chosen == FLAX else ["--backend", chosen]), *(["--first"] if first else [])]
    if not first:
        write(ARTICLE)
    status = _observed(
        _script("article_flax.py" if chosen == FLAX else "article.py"),
        words,
        data,
        replace(wanted, verbose=True),
        paper,
    )
    if first or status or wanted.form != "text":
        return status
    write("\nThe variant that the article did not try: the first of the two models is frozen.\n")
    # Keras chooses its backend once per process and numbers its layers through it: the variant gets its own.
    return subprocess.call([sys.executable, "-m", "frostline", "demo", "--backend", chosen, "--first"])


def _script(name: str) -> Path:
    import frostline.demo

    return Path(frostline.demo.__path__[0]) / name


def _observed(script: Path, words: list[str], data: Path | None, wanted: Wanted, paper: TextIO | None) -> int:
    """Run a script as ``frostline run`` does; its report goes to ``paper``."""
    from frostline.cli.commands.run import conclude
    from frostline.run.runner import run
    from frostline.settings import Settings

    settings = Settings(data=data)
    outcome = run(str(script), words, settings)
    return conclude(outcome, settings, sys.stderr, report_to=paper, wanted=wanted.absolute())


def _backend(wanted: str | None) -> str:
    """The backend for the demo: the one wanted, else the first one of Keras that is installed.

    Raises:
        FrostlineError: a library that the demo needs is not installed.
    """
    from frostline.frameworks.registry import is_installed

    present = [name for name in KERAS if is_installed(name)]
    needed = (FLAX, "optax") if wanted == FLAX else ("keras", wanted)
    missing = [name for name in needed if name is not None and not is_installed(name)]
    if missing or not (present or wanted == FLAX):
        raise FrostlineError(
            f"the demo needs {' and '.join(missing or ['jax'])}, which this python does not have",
            f"pip install 'frostline[{'jax' if wanted == FLAX else 'demo'}]'",
        )
    return wanted or present[0]
