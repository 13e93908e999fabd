"""The worked notebooks are executed as they stand, and show their reports as HTML."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[2] / "examples"
SHOWN = {
    "fine_tuning": ["frozen-but-statistics-moved", "No contradiction"],
    "frozen_model_in_a_model": ["No contradiction", "frozen-flag-not-inherited"],
}


def shown(name: str) -> tuple[list[str], list[str]]:
    """The reports that the cells of a notebook showed, in order, and the progress lines below those that trained."""
    notebook = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)
    NotebookClient(notebook, timeout=240, kernel_name="python3").execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    pages = [output.data["text/html"] for output in outputs if "text/html" in output.get("data", {})]
    texts = [output.data.get("text/plain", "") for output in outputs if output.output_type == "display_data"]
    reports = [page for page in pages if page.startswith('<div class="frostline fragment">')]
    return reports, [text for text in texts if text.startswith("frostline: ")]


def test_every_notebook_is_tested() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.ipynb")} == set(SHOWN)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("fine_tuning", marks=pytest.mark.needs("torch")),
        pytest.param("frozen_model_in_a_model", marks=pytest.mark.needs("keras", "jax")),
    ],
)
def test_a_notebook_runs_and_shows_what_was_found(name: str) -> None:
    pages, lines = shown(name)
    assert lines
    assert all(
        re.match(r"frostline: step [1-9][\d,]*: ", line) for line in lines
    )  # none says that it is training still
    for page, words in zip(pages[-2:], SHOWN[name], strict=True):
        assert words in page
        assert "<script" not in page
