"""The projects of examples/ show their mistake and its fix; ``make examples`` runs all, the tests one of them."""

import os
import sys

import pytest
from page_examples import ROOT

sys.path.insert(0, str(ROOT / "docs"))
import examples

SHORT = ("gan",)
ALL = os.environ.get("FROSTLINE_EXAMPLES") == "all"
NAMES = tuple(examples.EXAMPLES) if ALL else SHORT
pytestmark = pytest.mark.needs("torch", "flax", "transformers", "peft", "sklearn")


def test_every_project_is_on_the_page_which_is_fresh() -> None:
    folders = {path.parent.name for path in examples.FOLDER.glob("*/bug.py")}
    assert folders == set(examples.EXAMPLES)
    assert all((examples.FOLDER / name / "fixed.py").is_file() for name in folders)
    assert examples.PAGE.read_text("utf-8") == examples.page(), "python docs/examples.py writes it"


@pytest.mark.parametrize("name", NAMES)
def test_the_mistake_is_found_with_its_cause_and_the_fix_is_clean(name: str) -> None:
    record = examples.observe(name, examples.BUG)
    assert examples.EXAMPLES[name].finds in {each.code for each in record.findings if each.severity != "note"}
    drawn = (ROOT / "docs" / "examples" / f"{name}.svg").read_text("utf-8")
    assert drawn == examples.picture(name, record), "python docs/examples.py draws it"
    fixed = examples.observe(name, examples.FIXED)
    assert [each.code for each in fixed.findings if each.severity != "note"] == []
