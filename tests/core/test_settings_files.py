"""Settings files: which of them holds, what they may say, and what a mistake in them is answered with."""

from pathlib import Path

import pytest

from frostline.core.suppressions import Ignore
from frostline.settings import TABLE, Settings, SettingsError, found, load


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert found(tmp_path) == (Settings(), [])


def test_every_setting_can_stand_in_either_file(tmp_path: Path) -> None:
    text = """
        frozen = ["backbone.**"]
        trained = ["head.**"]
        check_every = 10
        patience = 5
        keep_bytes = "1 MiB"
        fail_on = "warning"
        baseline = "known.json"
        data = "runs/last.json"
        tensorboard = "logs"
        track = ["wandb"]
        laws = ["ours.py"]
        pages = "https://example.org/frostline"
        {0}
        F107 = "note"
        {1}
        rule = "frozen-in-optimizer"
        reason = "the optimizer is shared"
        tensors = ["stem.**"]
    """
    wanted = Settings(
        frozen=("backbone.**",), trained=("head.**",), check_every=10, patience=5, keep_bytes=2**20,
        fail_on="warning", baseline=tmp_path / "known.json", data=tmp_path / "runs" / "last.json",
        tensorboard=tmp_path / "logs", track=("wandb",), laws=(tmp_path / "ours.py",), pages="https://example.org/frostline",
        severity={"F107": "note"}, ignore=(Ignore("frozen-in-optimizer", "the optimizer is shared", ("stem.**",)),),
    )  # fmt: skip
    assert all(getattr(wanted, name) != getattr(Settings(), name) for name in TABLE)
    write(tmp_path / "frostline.toml", text.format("[severity]", "[[ignore]]"))
    assert load(tmp_path) == wanted
    (tmp_path / "frostline.toml").unlink()
    tables = text.format("[tool.frostline.severity]", "[[tool.frostline.ignore]]")
    write(tmp_path / "pyproject.toml", f"[tool.frostline]\n{tables}")
    assert load(tmp_path) == wanted


def test_the_nearest_folder_holds_and_in_it_the_own_file_wins(tmp_path: Path) -> None:
    write(tmp_path / "frostline.toml", "patience = 9\ncheck_every = 9")
    write(tmp_path / "a" / "pyproject.toml", "[tool.frostline]\npatience = 7\nfrozen = ['x']")
    write(tmp_path / "a" / "frostline.toml", "patience = 8")
    write(tmp_path / "a" / "b" / "pyproject.toml", "[project]\nname = 'other'")
    settings, files = found(tmp_path / "a" / "b")
    assert settings == Settings(patience=8, frozen=("x",))
    assert [path.name for path in files] == ["pyproject.toml", "frostline.toml"]


def test_what_is_given_directly_wins(tmp_path: Path) -> None:
    write(tmp_path / "frostline.toml", "patience = 9\nfrozen = ['x']")
    assert load(tmp_path).but(patience=1, frozen=None) == Settings(patience=1, frozen=("x",))


@pytest.mark.parametrize(("text", "message", "hint"), [
    ("frozne = ['a']", "there is no setting 'frozne'", "did you mean frozen?"),
    ("check-every = 3", "there is no setting 'check-every'", "did you mean check_every"),
    ("debug = true", "there is no setting 'debug'", ""),
    ("check_every = 0", "check_every: expected `int` >= 1", "check_every: check at every n-th step"),
    ("frozen = 'a'", "frozen: expected `list`, got `str`", "frozen: patterns"),
    ("keep_bytes = '64 MxB'", "keep_bytes: expected `int`, got `str`", "a text as"),
    ("fail_on = 'notes'", "fail_on: invalid enum value 'notes'", "error, warning or never"),
    ("baseline = 3", "baseline: expected a path", "known already"),
    ("[severity]\nF1O7 = 'note'", "there is no rule 'F1O7'", "did you mean F107"),
    ("[severity]\nF107 = 'off'", "severity: invalid enum value 'off'", "error, warning or note"),
    ("[[ignore]]\nrule = 'F107'", "F107 is ignored without a reason", "add reason"),
    ("[[ignore]]\nrule = 'F107'\nreason = ' '", "F107 is ignored without a reason", "add reason"),
    ("[[ignore]]\nrule = 'F107'\nraison = 'x'", "there is no key of ignore 'raison'", "did you mean reason?"),
    ("[[ignore]]\nreason = 'x'", "an entry of ignore names no rule", "[[ignore]]"),
    ("[[ignore]]\nrule = 'nothing-train'\nreason = 'x'", "no rule 'nothing-train'", "nothing-trained"),
    ("ignore = ['F107']", "ignore is not a list of tables", "[[ignore]]"),
    ("= 3", "is not valid TOML", "fix the file"),
])  # fmt: skip
def test_a_mistake_names_the_file_and_what_would_be_right(text: str, message: str, hint: str, tmp_path: Path) -> None:
    write(tmp_path / "frostline.toml", text)
    with pytest.raises(SettingsError) as caught:
        load(tmp_path)
    assert str(tmp_path / "frostline.toml") in caught.value.message
    assert message in caught.value.message
    assert hint in caught.value.hint
