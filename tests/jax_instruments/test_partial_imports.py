"""Libraries that import the framework, so that they are half empty when its hooks are put in place."""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

import pytest

from frostline.frameworks.imports import is_just_imported, when_imported

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
    (tmp_path / "later.py").write_text("value = 1")
    (tmp_path / "mended.py").write_text("1 / 0")
    (tmp_path / "broken.py").write_text(AWAITED + "raise ValueError")
    yield values
    for name in ("awaited", "later", "mended"):
        sys.modules.pop(name, None)


def test_the_hook_is_called_when_all_of_the_module_is_there(seen: list[int]) -> None:
    module = importlib.import_module("awaited")
    assert seen == [1]
    when_imported("awaited", lambda module: seen.append(module.value + 1))
    assert seen == [1, 2]
    assert type(module.__spec__) is importlib.machinery.ModuleSpec


def test_a_module_that_is_awaited_is_hooked_once_and_stays_as_it_is(seen: list[int]) -> None:
    when_imported("later", lambda module: seen.append(module.value))
    assert importlib.util.find_spec("later") is not None
    assert seen == []
    assert type(importlib.import_module("later").__spec__) is importlib.machinery.ModuleSpec
    importlib.reload(sys.modules.pop("later") and importlib.import_module("later"))
    assert seen == [1]


def test_a_module_that_failed_is_awaited_still(seen: list[int], tmp_path: Path) -> None:
    forget = when_imported("mended", lambda module: seen.append(module.value))
    when_imported("mended", lambda module: seen.append(module.value + 1))
    forget()
    with pytest.raises(ZeroDivisionError):
        importlib.import_module("mended")
    (tmp_path / "mended.py").write_text("value = 2")
    importlib.invalidate_caches()
    importlib.import_module("mended")
    assert seen == [3]


def test_a_module_that_fails_is_not_hooked(seen: list[int]) -> None:
    with pytest.raises(ValueError):
        importlib.import_module("broken")
    assert seen == []


def test_only_hooks_of_the_import_itself_find_it_just_imported(seen: list[int]) -> None:
    found = []
    when_imported("later", lambda module: found.append(is_just_imported("later")))
    importlib.import_module("later")
    when_imported("later", lambda module: found.append(is_just_imported("later")))
    assert found == [True, False]
