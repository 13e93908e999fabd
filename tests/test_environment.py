"""What the tests run in: frameworks that are stated as present can be imported, and slow files go first."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from tests.conftest import HERE, SLOW, pytest_collection_modifyitems

FRAMEWORKS = [name for name in os.environ.get("FROSTLINE_MUST_HAVE", "").split() if name != "browser"]
OF_TENSORFLOW = {"tensorflow", "tf_keras", "keras", "tensorboard"}  # its LLVM and that of others abort in one process
IMPORTING = """
import importlib, json, sys
failed = {}
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except Exception as error:
        failed[name] = repr(error)
print(json.dumps(failed))
"""


@pytest.mark.parametrize("of_tensorflow", [True, False])
def test_frameworks_that_must_be_there_can_be_imported(of_tensorflow: bool) -> None:
    assert _failed([name for name in FRAMEWORKS if (name in OF_TENSORFLOW) is of_tensorflow]) == {}


def test_a_framework_that_cannot_be_imported_is_named() -> None:
    assert list(_failed(["json", "no_such_framework"])) == ["no_such_framework"]


def test_slow_files_are_there_and_go_first() -> None:
    assert [name for name in SLOW if not (HERE / name).is_file()] == []
    short, slow = (HERE / name for name in ("core/test_fold.py", SLOW[1]))
    items = [
        SimpleNamespace(path=path, name=name) for name, path in zip("abcd", (short, slow, short, slow), strict=True)
    ]
    pytest_collection_modifyitems(items)
    assert "".join(each.name for each in items) == "bdac"


def _failed(names: list[str]) -> dict[str, str]:
    """Why modules could not be imported, by name; in a process of its own, since they are not meant for this one."""
    done = subprocess.run([sys.executable, "-c", IMPORTING, *names], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
