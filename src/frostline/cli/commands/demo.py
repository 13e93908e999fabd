"""``frostline demo``: the article's experiment and its variant, run under observation."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from frostline.cli import options
from frostline.cli.group import examples
from frostline.cli.printing import write
from frostline.errors import FrostlineError

KERAS = ("jax", "torch", "tensorflow")  # its backends, in the order in which they are taken
FLAX = "flax"


@click.command(epilog=examples("frostline demo", "frostline demo --backend torch", "frostline demo --first"))
@click.option(
    "--backend",
    type=click.Choice((*KERAS, FLAX)),
    help="The backend of Keras, by default the first of these that is installed; or flax, without Keras.",
)
@click.option("--first", is_flag=True, help="Only the variant: freeze the first of the two models.")
@click.option("--data", type=options.FILE, metavar="FILE", help="Keep the record in FILE.")
def demo(backend: str | None, first: bool, data: Path | None) -> int:
    """Freeze a model inside a model, train, and see who was right: the flag or the summary.

    First the article's experiment (the second model frozen), then the variant it did not try (the first model frozen).
    The script is an ordinary script of Keras, or of flax, that knows nothing of frostline.
    """
    import frostline.demo
    from frostline.cli.commands.run import conclude
    from frostline.run.runner import run as observe
    from frostline.settings import Settings

    chosen = ["--backend", _backend(backend)]
    article = Path(frostline.demo.__path__[0]) / ("article_flax.py" if backend == FLAX else "article.py")
    settings = Settings(data=data)
    words = [*([] if backend == FLAX else chosen), *(["--first"] if first else [])]
    outcome = observe(str(article), words, settings)
    status = conclude(outcome, settings, sys.stderr, report_to=sys.stdout)
    if first or status:
        return status
    write("\nThe variant that the article did not try: the first of the two models is frozen.\n")
    # Keras chooses its backend once per process and numbers its layers through it: the variant gets its own.
    return subprocess.call([sys.executable, "-m", "frostline", "demo", *chosen, "--first"])


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
