"""The observer changes nothing: bits, traces, compiled modules, donation and prints of a JAX script are a plain run's.

``FROSTLINE_ALL=1`` takes the whole JAX corpus instead of the chosen scripts.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from corpus.cases import Trial, load, trials
from corpus.running import in_jax
from forked import Printed

from frostline import judging

FINGERPRINT = Path(__file__).with_name("jax_fingerprint.py")
EVERYTHING = bool(os.environ.get("FROSTLINE_ALL"))
CHOSEN = ("nnx_plain", "two_networks")
"""Beside the styles of tests/jax_instruments/test_jax_untouched.py."""

TRIALS = [each for each in trials(load()) if each.case.framework == "jax" and not each.case.missing()]
SCRIPTS = [each for each in TRIALS if EVERYTHING or each.name.removeprefix("clean/jax/") in CHOSEN]

pytestmark = pytest.mark.needs("jax", "flax", "optax", "equinox")


def printed(trial: Trial, folder: Path, *words: str) -> Printed:
    """What the script and its fingerprint print, in a process of its own."""
    folder.mkdir()
    ended = in_jax([*words, str(FINGERPRINT), str(trial.script)], folder)
    last = ended.stderr.strip().rpartition("\n")[2]
    return Printed(ended.stdout, f"exit {ended.returncode}: {last}" if ended.returncode else "")


def observed(trial: Trial, folder: Path) -> Printed:
    """The same under frostline, which must have done its job to the end."""
    record = folder.with_suffix(".json")
    options = ("--quiet", "--check-every", "1", "--fail-on", "never", "--data", str(record))
    result = printed(trial, folder, "-m", "frostline", "run", *options)
    run = judging.load(record).run
    assert run.complete
    assert not run.faults
    return result


def test_all_chosen_scripts_are_there():
    assert EVERYTHING or len(SCRIPTS) == len(CHOSEN)


@pytest.mark.parametrize("trial", SCRIPTS, ids=lambda trial: trial.name)
def test_a_run_leaves_the_same_bits_with_and_without_frostline(trial, tmp_path):
    with ThreadPoolExecutor(2) as pool:
        plain, seen = pool.map(lambda run: run[0](trial, tmp_path / run[1]), [(printed, "plain"), (observed, "seen")])
    assert plain.failure == ""
    assert not plain.fingerprint["arrays"].startswith("0:")
    assert not plain.fingerprint["compiled"].startswith("0:")
    assert seen.differences(plain) == []


MEDDLERS = {
    "arrays": "names['x'] = names['x'] + 1",
    "donated": "jax.jit(lambda x: x + 1, donate_argnums=0)(names['targets'])",
    "run": "names['loss'](names['critic'], names['x'], 0)",
    "compiled": "jax.jit(lambda x: x + 3)(names['x'])",
    "numpy": "np.random.rand()",
    "python": "random.random()",
    "output": "print('step')",
}


def test_an_observer_that_touches_is_told_by_all_that_it_touched(tmp_path, monkeypatch):
    """The comparison itself, with each kind of state touched once at the script's end."""
    (trial,) = (each for each in TRIALS if each.name == "clean/jax/two_networks")
    plain = printed(trial, tmp_path / "plain")
    touches = "".join(f"    {touch}\n" for touch in MEDDLERS.values())
    script = tmp_path / "meddling.py"
    script.write_text(
        FINGERPRINT.read_text().replace("    sys.setprofile(None)\n", f"{touches}    sys.setprofile(None)\n")
    )
    monkeypatch.setattr(sys.modules[__name__], "FINGERPRINT", script)
    assert sorted(printed(trial, tmp_path / "touched").differences(plain)) == sorted(MEDDLERS)
