"""What the README and the pages show is what is printed today, and their links lead somewhere."""

import html
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from frostline.core.columns.unlooked import why_unknown
from frostline.settings import TABLE

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = (README, *sorted((ROOT / "docs").rglob("*.md")))
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


@pytest.mark.needs("torch")
def test_the_pictures_are_what_is_printed_today() -> None:
    pictures = script("pictures")
    text = README.read_text("utf-8")
    record = pictures.observe(text)
    again = "python docs/pictures.py writes them"
    assert undated(pictures.readme(text, pictures.blocks(record))) == undated(text), again
    assert undated(pictures.animated(record)) == undated(pictures.PICTURE.read_text("utf-8")), again
    assert "2 errors" in html.unescape(pictures.animated(record)).replace("\xa0", " ")


def test_a_readme_without_its_marks_is_refused() -> None:
    with pytest.raises(SystemExit, match="0 blocks named report"):
        script("pictures").readme("# frostline\n", {"report": ""})
    with pytest.raises(SystemExit, match=r"no block of the file train\.py"):
        script("pictures").observe("# frostline\n")


def test_the_pages_of_rules_are_fresh() -> None:
    rules_page = script("rules_page")
    written = {path.name: path.read_text("utf-8") for path in rules_page.FOLDER.iterdir()}
    assert rules_page.pages() == written, "python docs/rules_page.py writes them"
    assert rules_page.laws() == (rules_page.FOLDER.parent / "laws.md").read_text("utf-8")


def test_the_page_of_the_columns_says_what_is_not_looked_for() -> None:
    columns = script("columns")
    assert columns.page() == columns.PAGE.read_text("utf-8"), "python docs/columns.py writes it"
    assert f"`cleared`: {why_unknown('cleared', 'keras')}" in columns.page()


@pytest.mark.needs("torch")
def test_the_picture_of_the_columns_is_that_of_a_run_today() -> None:
    columns = script("columns")
    drawn = columns.picture(columns.observe())
    assert drawn == columns.PICTURE.read_text("utf-8"), "python docs/columns.py writes it"
    assert drawn.count('class="odd"') == 6


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in re.findall(r"(?m)^#+ (.*)", text)}
    for target in re.findall(r"\]\((?!https://)([^)]+)\)", text):  # no network in tests
        path = target.partition("#")[0]
        assert (page.parent / path).exists() if path else target[1:] in anchors, target


def test_the_page_of_columns_names_every_column_and_every_state_of_exit() -> None:
    text = (ROOT / "docs" / "columns.md").read_text("utf-8")
    assert all(f"| **{column}** |" in text for column in ("expected", "declared", "optimizer", "changed", "saved"))
    assert re.findall(r"(?m)^\| (\d) \|", text) == ["0", "1", "2"]


def test_the_page_of_settings_names_every_setting() -> None:
    text = (ROOT / "docs" / "settings.md").read_text("utf-8")
    assert re.findall(r"(?m)^\| `(\w+)` \| (?!this)", text) == list(TABLE)
