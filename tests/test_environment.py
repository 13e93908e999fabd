"""Where the frameworks that must be present are stated, each of them is there and can be imported."""

import os
import subprocess
import sys

import pytest

FRAMEWORKS = [name for name in os.environ.get("FROSTLINE_MUST_HAVE", "").split() if name != "browser"]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_framework_that_must_be_there_can_be_imported(framework: str) -> None:
    done = subprocess.run([sys.executable, "-c", f"import {framework}"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
