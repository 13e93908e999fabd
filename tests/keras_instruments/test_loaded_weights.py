"""L8 of Keras: what of a file that was loaded is in the model by its bits when the next step begins."""

import json
from pathlib import Path

import pytest
from corpus.running import in_keras
from running import GENERATIONS

SCRIPT = Path(__file__).parent / "scripts" / "loads.py"


@pytest.mark.parametrize("backend", GENERATIONS)
def test_loads_are_compared_by_bits(backend: str, tmp_path: Path) -> None:
    done = in_keras("" if backend == "tf_keras" else backend, [str(SCRIPT), backend], tmp_path)
    assert done.returncode == 0, done.stderr
    said = {name: [tuple(each) for each in found] for name, found in json.loads(done.stdout.splitlines()[-1]).items()}
    assert said["whole"] == said["model"] == said["loaded twice"] == []
    (part,) = said["in part"]
    assert (part[0], part[1]) == ("note", 1)
    assert part[2].startswith("2 of 3 tensors of old.weights.h5 are in model"), part
    (nothing,) = said["nothing"]
    assert nothing[0] == "error"
    assert "tensors of old.weights.h5 are in" in nothing[2]
    assert nothing[2].startswith("0 of ")
    (again,) = said["drawn again"]
    assert again[0] == "note"
    assert "rewritten since" in again[2]
    (frozen,) = said["frozen and drawn again"]
    assert frozen[0] == "error"
    assert "frozen, were loaded from old.weights.h5 and rewritten before the next step" in frozen[2]
    assert said["halved"] == []
