"""Every fuzz target for a bounded time, and the proof that the fuzzer notices what it looks for."""

import contextlib
import os
import pickle
from pathlib import Path

import fuzzing
import pytest

from frostline.errors import CheckpointError

SECONDS = float(os.environ.get("FROSTLINE_FUZZ_SECONDS", "15"))
CASES = 2000


@pytest.mark.parametrize("target", fuzzing.TARGETS)
def test_only_our_own_errors_come_of_bad_files(target: str, tmp_path: Path) -> None:
    count, failures = fuzzing.fuzz(target, SECONDS, seed=0, folder=tmp_path, most=CASES)
    assert not failures, failures[0].what
    assert count > 0


@pytest.mark.parametrize("target", [name for name in fuzzing.TARGETS if name != "index"])
def test_the_seeds_are_sound(target: str, tmp_path: Path) -> None:
    make, read = fuzzing.TARGETS[target]
    for content in make():
        (tmp_path / "seed").write_bytes(content)
        read(tmp_path / "seed")


def broken(path: Path) -> None:
    if len(path.read_bytes()) < 10:
        raise IndexError("planted")


def wordy(path: Path) -> None:
    raise CheckpointError("two\nlines")


def loading(path: Path) -> None:
    with contextlib.suppress(Exception):
        pickle.loads(b"cmodule\nNet\n)R.")


def greedy(path: Path) -> None:
    b"x" * (fuzzing._peak() + 2**26)  # whatever other tests of this process took


@pytest.mark.parametrize(
    ("read", "what"),
    [(broken, "planted"), (wordy, "several lines"), (loading, "reached into module.Net"), (greedy, "MiB")],
)
def test_a_planted_bug_is_found(read: object, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzzing, "GROWTH", 2**25)
    monkeypatch.setitem(fuzzing.TARGETS, "planted", (lambda: [b"0123456789"], read))  # type: ignore[arg-type]
    _, failures = fuzzing.fuzz("planted", 5, seed=0, folder=tmp_path)
    assert failures
    assert what in failures[0].what


def test_slow_cases_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzzing, "SLOW", -1.0)
    assert "seconds" in fuzzing.fuzz("lock", 0.1, seed=0, folder=tmp_path)[1][0].what
