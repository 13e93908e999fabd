"""What a commit to this project must pass: each hook of .pre-commit-config.yaml stops bad code, and only that."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from page_examples import ROOT

pytestmark = pytest.mark.needs("pre_commit")

CONFIG = ROOT / ".pre-commit-config.yaml"
# One small project of the same form, and for each hook a file with which it must be stopped.
GOOD = {
    "src/frostline/__init__.py": "",
    "src/frostline/half.py": "def half(number: int) -> float:\n    return number / 2\n",
    "tests/core/test_half.py": "from src.frostline.half import half\n\n\ndef test_half():\n    assert half(3) == 1.5\n",
    "tests/ledgers/test_replay.py": "def test_replay():\n    assert True\n",
    "tests/test_imports.py": "def test_imports():\n    assert True\n",
}
BAD = {
    "format": ("src/frostline/half.py", "def half(number: int) -> float: return number/2\n"),
    "lint": ("src/frostline/half.py", "import os\n\n\ndef half(number: int) -> float:\n    return number / 2\n"),
    "types": ("src/frostline/half.py", 'def half(number: int) -> float:\n    return f"{number / 2}"\n'),
    "quick-tests": ("src/frostline/half.py", "def half(number: int) -> float:\n    return number // 2\n"),
}
HOOKS = [
    hook["id"] for repository in yaml.safe_load(CONFIG.read_text("utf-8"))["repos"] for hook in repository["hooks"]
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with the settings and the environment of this one, in which everything is good."""
    for name in (CONFIG.name, "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    for name, source in GOOD.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source, "utf-8")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


def passes(hook: str, project: Path) -> bool:
    subprocess.run(["git", "add", "."], cwd=project, check=True)
    environment = os.environ | {"PRE_COMMIT_HOME": str(project / "home")}
    command = [sys.executable, "-m", "pre_commit", "run", hook, "--all-files"]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, timeout=120).returncode == 0


def test_every_hook_is_tried() -> None:
    assert set(HOOKS) == set(BAD)


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_stops_what_is_bad_and_nothing_else(hook: str, project: Path) -> None:
    assert passes(hook, project)
    name, source = BAD[hook]
    (project / name).write_text(source, "utf-8")
    assert not passes(hook, project)
