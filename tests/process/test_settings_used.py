"""Settings files and a baseline, as the commands use them."""

import pytest

pytestmark = pytest.mark.needs("torch")

# The script's first layer is declared trainable here, and moves; in the second variant the last layer moves as well.
EXPECTED = 'frozen = ["0.**"]\nfail_on = "error"\n'
MORE = 'frozen = ["0.**", "1.bias"]\nfail_on = "error"\nbaseline = "known.json"\n'


@pytest.fixture
def moved(shell, linear):
    shell.warm = True
    linear()
    source = (shell.folder / "train.py").read_text("utf-8")
    shell.write("train.py", source.replace("model[0].requires_grad_(False)\n", "").replace("model[1].", "model."))
    shell.write("frostline.toml", EXPECTED)
    return shell


def test_a_mistake_in_the_file_stops_before_the_script(moved) -> None:
    moved.write("frostline.toml", "frozne = []")
    done = moved.observed("train.py")
    assert (done.status, done.stdout) == (2, "")
    assert done.stderr.endswith("there is no setting 'frozne'\nhint: did you mean frozen?\n")
    assert ".frostline.json" not in moved.files()


def test_an_old_project_starts_clean_and_what_is_new_still_shows(moved) -> None:
    assert moved.observed("train.py").status == 1
    assert moved.frostline("report").status == 1
    assert moved.frostline("report", "--fail-on", "never").status == 0  # an option wins

    missing = moved.frostline("report", "--baseline", "known.json")
    assert missing.status == 2
    assert missing.stderr.startswith("frostline: there is no baseline at known.json\nhint: write one with ")
    moved.write("frostline.toml", f'{EXPECTED}baseline = "known.json"\n')
    assert "--write-baseline" in moved.frostline("report").stdout

    done = moved.frostline("report", "--write-baseline", "known.json")
    assert (done.status, done.stdout, done.stderr) == (0, "", "frostline: known.json now knows 1 finding\n")
    done = moved.frostline("report")
    assert done.status == 0
    assert "known.json knows 1 finding of this run" in done.stdout
    assert done.stdout.splitlines()[0] == "frostline: 0 errors, 0 warnings, 0 notes; 1 ignored"

    moved.write("frostline.toml", MORE)
    done = moved.frostline("run", "train.py")
    said = " ".join(done.stderr.partition("\n\n")[0].split())
    assert said == "frostline: expected frozen but changed (1 error, 0 warnings, 0 notes); 1 ignored"
    assert done.status == 1

    moved.write("frostline.toml", 'baseline = "known.json"\n')
    assert moved.observed("train.py").status == 0
    done = moved.frostline("report")
    assert (done.status, done.stdout.splitlines()[0]) == (
        0,
        "frostline: no contradiction found (0 errors, 0 warnings, 0 notes)",
    )
    assert "1 entry found no longer" in done.stdout
    assert "expected-frozen-but-changed" in done.stdout
