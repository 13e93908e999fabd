"""Libraries that import the framework, so that they are half empty when its hooks are put in place."""

import importlib
import sys
from pathlib import Path

import pytest

from frostline.frameworks.imports import when_imported

AWAITED = """
from hooked import hook
hook(__name__)
value = 1
"""


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What a hook found in the module that put it in place while it was imported; the module's file is ``awaited``."""
    values: list[int] = []
    hooked = type(sys)("hooked")
    hooked.hook = lambda name: when_imported(name, lambda module: values.append(module.value))
    monkeypatch.setitem(sys.modules, "hooked", hooked)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "awaited.py").write_text(AWAITED)
    (tmp_path / "broken.py").write_text(AWAITED + "raise ValueError")
    yield values
    sys.modules.pop("awaited", None)


def test_the_hook_is_called_when_all_of_the_module_is_there(seen: list[int]) -> None:
    module = importlib.import_module("awaited")
    assert seen == [1]
    when_imported("awaited", lambda module: seen.append(module.value + 1))
    assert seen == [1, 2]
    assert type(module.__spec__) is importlib.machinery.ModuleSpec


def test_a_module_that_fails_is_not_hooked(seen: list[int]) -> None:
    with pytest.raises(ValueError):
        importlib.import_module("broken")
    assert seen == []
