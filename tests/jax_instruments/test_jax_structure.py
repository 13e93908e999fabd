"""What an instrument is, read from the source: it knows no other instrument, and says which facts it tells."""

import ast
from pathlib import Path

import pytest

from frostline.core import facts
from frostline.frameworks.jax import INSTRUMENTS

INSIDE = "frostline.frameworks.jax.instruments"
FOLDER = Path(__file__).parents[2] / "src" / "frostline" / "frameworks" / "jax" / "instruments"
FACTS = {name for name in facts.__all__ if isinstance(getattr(facts, name), type)}


def others(code):
    """The instruments, and other frameworks, that this code imports."""
    imported = [node.module or "" for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom)]
    frameworks = ("frostline.frameworks.keras", "frostline.frameworks.keras_common", "frostline.frameworks.tf_keras")
    return [name for name in imported if name.startswith((INSIDE, *frameworks))]


def undeclared(code):
    """The facts that this code makes and that the ``tells`` of its class does not have."""
    tree = ast.parse(code)
    made = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    declared = {
        name.id
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "tells"
        for name in ast.walk(node.value)
        if isinstance(name, ast.Name)
    }
    return sorted((made & FACTS) - declared)


def files():
    return [path for path in FOLDER.rglob("*.py") if path.name != "__init__.py"]


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_an_instrument_knows_no_other_and_says_what_it_tells(path):
    code = path.read_text("utf-8")
    assert (others(code), undeclared(code)) == ([], [])


def test_every_file_is_one_instrument_that_is_used():
    assert {instrument.__module__.rpartition(".")[2] for instrument in INSTRUMENTS} == {
        *(path.stem for path in files()),
    }


def test_a_planted_import_and_a_planted_fact_are_found():
    code = (
        f"from {INSIDE}.flags.flag_typos import FlagTypos\n"
        "class Planted:\n    tells: tuple = (Moved,)\n"
        "    def see(self): tell(TensorSeen(tensor=1))\n"
    )
    assert others(code) == [f"{INSIDE}.flags.flag_typos"]
    assert undeclared(code) == ["TensorSeen"]
