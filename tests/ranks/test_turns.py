"""All ranks come to a check at the same step, and a large job does not write at one moment."""

import time
from pathlib import Path

import pytest

from frostline.core.run import Run
from frostline.run.files import turns
from frostline.run.session import UNDER_WAY, Session
from frostline.settings import Settings


def waits(rank: int, size: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long a rank waits before what it writes at a check and at the end."""
    slept: list[float] = []
    with monkeypatch.context() as patched:
        patched.setattr(time, "sleep", slept.append)
        session = Session(Settings(data=folder / f"{rank}.json", is_part=True), Run(rank=rank, world_size=size))
        session.checked()
        assert (folder / f"{rank}.json").exists()
        session.close()
    assert session not in UNDER_WAY
    return slept


def test_ranks_of_a_large_job_write_at_different_moments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert waits(0, 64, tmp_path, monkeypatch) == [0.0, 0.0]
    assert waits(63, 64, tmp_path, monkeypatch) == [turns.SECONDS * 63 / 64] * 2
    assert waits(1, 2, tmp_path, monkeypatch) == [0.0, 0.0]
