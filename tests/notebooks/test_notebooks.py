"""The worked notebooks are executed as they stand, and show their reports as HTML."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[2] / "examples"
SHOWN = {
    "fine_tuning": ["frozen-but-statistics-moved", "No contradiction"],
    "frozen_model_in_a_model": ["No contradiction", "frozen-flag-not-inherited"],
}


def shown(name: str) -> list[str]:
    """The reports that the cells of a notebook showed, in order."""
    notebook = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)
    NotebookClient(notebook, timeout=240, kernel_name="python3").execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    pages = [output.data["text/html"] for output in outputs if "text/html" in output.get("data", {})]
    return [page for page in pages if page.startswith('<div class="frostline fragment">')]


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
    pages = shown(name)
    for page, words in zip(pages[-2:], SHOWN[name], strict=True):
        assert words in page
        assert "<script" not in page
