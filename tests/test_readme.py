"""What the README shows is what is printed today, its Python runs, and its links lead somewhere."""

import html
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = (README, *sorted((ROOT / "docs").glob("*.md")))
VERSION = re.compile(r"\d+\.\d+\.\d+")


def script(name: str) -> ModuleType:
    """A script of docs/ as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def undated(text: str) -> str:
    return VERSION.sub("0.0.0", text)


@pytest.mark.needs("keras", "jax")
def test_the_pictures_are_what_is_printed_today() -> None:
    pictures = script("pictures")
    printed, record = pictures.observe()
    text = README.read_text("utf-8")
    again = "python docs/pictures.py writes them"
    assert undated(pictures.readme(text, pictures.blocks(printed, record))) == undated(text), again
    assert undated(pictures.picture(record)) == undated(pictures.PICTURE.read_text("utf-8")), again
    assert "2 errors" in html.unescape(pictures.picture(record)).replace("\xa0", " ")


def test_a_readme_without_its_marks_is_refused() -> None:
    with pytest.raises(SystemExit, match="0 blocks named report"):
        script("pictures").readme("# frostline\n", {"report": ""})


def test_the_page_of_rules_is_fresh() -> None:
    rules_page = script("rules_page")
    assert rules_page.page() == rules_page.PAGE.read_text("utf-8"), "python docs/rules_page.py writes it"


@pytest.mark.needs("torch")
def test_the_python_of_the_readme_runs() -> None:
    text = README.read_text("utf-8").partition("## From Python")[2]
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert blocks
    done = subprocess.run([sys.executable, "-c", "\n".join(blocks)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "0 errors" in done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in re.findall(r"(?m)^#+ (.*)", text)}
    for target in re.findall(r"\]\((?!https://)([^)]+)\)", text):  # no network in tests
        assert target[1:] in anchors if target.startswith("#") else (page.parent / target).exists(), target


def test_the_readme_names_every_column_and_every_state_of_exit() -> None:
    text = README.read_text("utf-8")
    assert all(f"| **{column}** |" in text for column in ("meant", "declared", "wired", "changed", "saved"))
    assert re.findall(r"(?m)^\| (\d) \|", text) == ["0", "1", "2"]
