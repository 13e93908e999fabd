"""`run --steps N` ends a script after N optimizer steps, and `check` judges the first few."""

import pytest
from corpus.running import in_keras

from frostline.judging import load
from frostline.settings import DEFAULT_DATA

LONG = """
for _ in range(1000):
    step()
print("the end")
"""
KERAS = """
import keras, numpy
keras.utils.set_random_seed(0)
model = keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(2)])
model.build((None, 4))
model.layers[0].trainable = False
model.compile("sgd", "mse")
model.fit(numpy.ones((64, 4)), numpy.ones((64, 2)), batch_size=1, epochs=100, verbose=0)
print("the end")
"""
DECAYED = """
with torch.no_grad():
    model[0].weight.mul_(0.9)
"""


@pytest.fixture(autouse=True)
def _warm(shell) -> None:
    shell.warm = True


@pytest.mark.needs("torch")
@pytest.mark.parametrize("command", [("run", "--steps", "5"), ("check", "--steps", "5")])
def test_the_script_ends_after_so_many_steps(command: tuple[str, ...], shell, linear) -> None:
    linear(LONG)
    done = shell.frostline(*command, "train.py")
    assert (done.status, done.stdout) == (0, ""), done.stderr
    assert "no contradiction found" in done.stderr
    run = load(shell.folder / DEFAULT_DATA).run
    assert (run.steps, run.exit, run.ended_by, run.complete) == (5, 0, "--steps 5", True)


@pytest.mark.needs("torch")
def test_a_script_of_fewer_steps_comes_to_its_own_end(shell, linear) -> None:
    linear("print('the end')\n")
    done = shell.frostline("run", "--quiet", "--steps", "5", "train.py")
    assert (done.status, done.stdout) == (0, "the end\n")
    assert load(shell.folder / DEFAULT_DATA).run.ended_by is None


@pytest.mark.needs("torch")
def test_what_cleans_up_is_run_and_what_catches_everything_ends_at_the_next_step(shell, linear) -> None:
    linear(
        "tries = 0\n"
        "try:\n"
        "    while True:\n"
        "        try:\n"
        "            tries += 1\n"
        "            step()\n"
        "        except:\n"
        "            if tries > 9: raise\n"
        "finally:\n"
        "    print('cleaned', tries)\n"
    )
    done = shell.frostline("run", "--quiet", "--steps", "5", "train.py")
    assert (done.status, done.stdout, done.stderr) == (0, "cleaned 10\n", "")


@pytest.mark.needs("keras", "jax")
@pytest.mark.parametrize("backend", ["jax", "torch", "tensorflow"])
def test_a_keras_fit_ends_after_so_many_steps(backend: str, shell) -> None:
    shell.write("train.py", KERAS)
    done = in_keras(backend, ["-m", "frostline", "run", "--steps", "6", "train.py"], shell.folder)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    run = load(shell.folder / DEFAULT_DATA).run
    assert (run.steps, run.ended_by, run.faults) == (6, "--steps 6", [])


@pytest.mark.needs("torch")
def test_check_fails_on_an_error_in_the_first_steps(shell, linear) -> None:
    linear(f"step()\n{DECAYED}{LONG}")
    done = shell.frostline("check", "train.py")
    assert (done.status, done.stdout) == (1, "")
    assert load(shell.folder / DEFAULT_DATA).run.steps == 8
    assert shell.frostline("check", "--fail-on", "never", "--quiet", "train.py").status == 0


@pytest.mark.needs("torch")
def test_the_report_of_a_run_goes_where_that_of_a_stored_one_would(shell, linear) -> None:
    linear()
    done = shell.frostline("run", "--json", "-o", "report.json", "train.py")
    assert (done.status, done.stdout, done.stderr) == (0, "", f"frostline: wrote {shell.folder}/report.json\n")
    assert (shell.folder / "report.json").read_text() == shell.frostline("report", "--json").stdout
    done = shell.frostline("run", "--format", "markdown", "train.py")
    assert done.stderr.startswith("## **frostline**")
    done = shell.frostline("run", "-o", "no/report.txt", "train.py")
    assert (done.status, done.stderr.splitlines()[0]) == (
        0,
        "frostline: cannot write no/report.txt: No such file or directory".replace("no/", f"{shell.folder}/no/"),
    )
