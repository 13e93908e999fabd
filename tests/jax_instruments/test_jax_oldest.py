"""The oldest JAX, flax, optax and equinox that the extra allows: runs are undisturbed, and their weights seen.

``make test`` puts these in a folder, in front of the newest.
"""

import os
import re
from pathlib import Path

import pytest
from corpus.running import ENVIRONMENT, JAX
from corpus.serving import on_server
from jax_running import SCRIPTS

from frostline.judging import load

ROOT = Path(__file__).parents[2]
PACKAGES = Path(os.environ.get("FROSTLINE_OLDEST_JAX", ROOT / ".venv" / "oldest-jax"))
PINNED = dict(re.findall(r"(?m)^(\w+)==(\S+)$", (ROOT / "tests" / "matrix" / "oldest-jax.txt").read_text("utf-8")))
LIBRARIES = (*JAX, "chex")  # which only the oldest optax asks for: a server of its own
VERSIONS = "import jax, flax, optax, equinox\nprint(*(each.__version__ for each in (jax, flax, optax, equinox)))\n"

pytestmark = pytest.mark.skipif(
    "FROSTLINE_OLDEST_JAX" not in os.environ and not PACKAGES.exists(), reason="make test installs the oldest JAX"
)


def run(folder: Path, *words: str) -> tuple[str, str]:
    """What a command printed, and what it said."""
    output, errors = folder / "stdout.txt", folder / "stderr.txt"
    environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": str(PACKAGES.resolve())}
    status = on_server(LIBRARIES, environment, words, folder, output, errors, timeout=300)
    assert status == 0, errors.read_text("utf-8")
    return output.read_text("utf-8"), errors.read_text("utf-8")


def test_these_are_the_oldest_that_the_extra_allows(tmp_path: Path) -> None:
    extra = re.search(r"(?m)^jax = \[(.*)\]$", (ROOT / "pyproject.toml").read_text("utf-8"))
    assert extra is not None
    floors = dict(re.findall(r'"(\w+)>=([\d.]+)"', extra[1]))
    assert {name: PINNED[name].removesuffix(".0") for name in floors} == floors
    (tmp_path / "versions.py").write_text(VERSIONS, "utf-8")
    printed, _ = run(tmp_path, str(tmp_path / "versions.py"))
    assert printed.split() == [PINNED[name] for name in ("jax", "flax", "optax", "equinox")]


@pytest.mark.parametrize("style", ["linen", "nnx_jit", "equinox", "donated"])
def test_a_run_is_the_same_and_its_weights_are_seen(style: str, tmp_path: Path) -> None:
    alone, _ = run(tmp_path, str(SCRIPTS / "styles.py"), style)
    data = tmp_path / "record.json"
    words = ["-m", "frostline", "run", "--quiet", "--data", str(data), str(SCRIPTS / "styles.py"), style]
    printed, _ = run(tmp_path, *words)
    assert printed == alone
    record = load(data)
    trained = [row.changed.verdict for row in record.tensors if row.declared.trainable]
    assert set(trained) == {"yes"}
    assert (record.run.faults, record.findings) == ([], [])
