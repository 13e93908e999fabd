"""A head that trained and then stopped, as its rows weigh nothing any more: found with the step, on each backend."""

from pathlib import Path

import pytest
from running import GENERATIONS, observed


@pytest.mark.parametrize("backend", GENERATIONS)
def test_a_head_that_stops_is_found_and_its_twin_is_quiet(
    backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (found,) = observed("stops.py", backend, tmp_path).record.findings
    assert (found.code, found.severity) == ("L2", "warning")
    assert found.tensors == ["model.extra.kernel", "model.extra.bias"]
    assert (found.evidence["moved_until_step"], found.evidence["still_since_step"]) == (16, 32)

    monkeypatch.setenv("MENDED", "1")
    assert observed("stops.py", backend, tmp_path).record.findings == []
