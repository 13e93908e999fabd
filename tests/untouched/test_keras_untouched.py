"""The observer changes nothing: every bit and every printed line of a Keras script is that of a plain run.

``FROSTLINE_ALL=1`` takes the whole Keras corpus, on each of its backends, instead of the chosen scripts.
"""

import os
import sys
from pathlib import Path

import pytest
from corpus.cases import Trial, load, trials
from corpus.running import in_keras
from forked import Printed

from frostline import judging

FINGERPRINT = Path(__file__).with_name("keras_fingerprint.py")
EVERYTHING = bool(os.environ.get("FROSTLINE_ALL"))
CHOSEN = (
    "averaged_optimizer[jax]",
    "gan_custom_train_step[tensorflow]",
    "gradual_unfreezing[torch]",
    "tf_keras_gan_recipe[tensorflow]",
)
"""Scripts in which a step is most easily disturbed: state outside of variables, retraced steps, random generators."""

TRIALS = [each for each in trials(load()) if each.case.framework in ("keras", "tf_keras") and not each.case.missing()]
SCRIPTS = [each for each in TRIALS if EVERYTHING or each.name.removeprefix("clean/keras/") in CHOSEN]

pytestmark = pytest.mark.needs("keras", "jax", "tensorflow", "torch", "tf_keras")


def printed(trial: Trial, folder: Path, *words: str) -> Printed:
    """What the script and its fingerprint print, in a process of its own."""
    folder.mkdir()
    command = [*words, str(FINGERPRINT), trial.case.framework, str(trial.script)]
    ended = in_keras(trial.backend, command, folder)
    last = ended.stderr.strip().rpartition("\n")[2]
    return Printed(ended.stdout, f"exit {ended.returncode}: {last}" if ended.returncode else "")


def observed(trial: Trial, folder: Path) -> Printed:
    """The same under frostline, which must have done its job to the end."""
    record = folder.with_suffix(".json")
    result = printed(
        trial,
        folder,
        "-m",
        "frostline",
        "run",
        "--quiet",
        "--check-every",
        "1",
        "--fail-on",
        "never",
        "--data",
        str(record),
    )
    run = judging.load(record).run
    assert run.complete
    assert not run.faults
    return result


def test_all_chosen_scripts_are_there():
    assert EVERYTHING or len(SCRIPTS) == len(CHOSEN)


@pytest.mark.parametrize("trial", SCRIPTS, ids=lambda trial: trial.name)
def test_a_run_leaves_the_same_bits_with_and_without_frostline(trial, tmp_path):
    plain = printed(trial, tmp_path / "plain")
    assert plain.failure == ""
    assert not plain.fingerprint["weights"].startswith("0:")
    assert observed(trial, tmp_path / "observed").differences(plain) == []


MEDDLERS = {
    "weights": "v = next(v for v in MADE.values() if v.trainable); v.assign(v + 1e-3)",
    "others": "v = next(v for v in MADE.values() if not v.trainable); v.assign(v + 1)",
    "numpy": "np.random.rand()",
    "python": "random.random()",
    "output": "print('step')",
}


def test_an_observer_that_touches_is_told_by_all_that_it_touched(tmp_path, monkeypatch):
    """The comparison itself, with each kind of state touched once at the script's end."""
    (trial,) = (each for each in TRIALS if each.name == "clean/keras/batch_norm_trained[jax]")
    plain = printed(trial, tmp_path / "plain")
    touches = "".join(f"    {touch}\n" for touch in MEDDLERS.values())
    script = tmp_path / "meddling.py"
    script.write_text(FINGERPRINT.read_text().replace('    print("fingerprint"', f'{touches}    print("fingerprint"'))
    monkeypatch.setattr(sys.modules[__name__], "FINGERPRINT", script)
    assert sorted(printed(trial, tmp_path / "touched").differences(plain)) == sorted(MEDDLERS)
