"""The file of a run: appended to, torn, removed and read again, it gives the ledger of the run itself."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.observe.memory import Tensor, Training

from frostline.core.fold import fold
from frostline.core.ledger import Ledger
from frostline.core.record import BaselineUse, Excused, Finding, Record, Totals, Verdict
from frostline.core.run import Run
from frostline.core.storage import run_file
from frostline.core.storage.run_file import RunFile, Seal
from frostline.errors import RecordError


@pytest.fixture
def training() -> Training:
    frozen = Tensor("m.body.weight", range(8), trainable=False)
    training = Training(frozen, Tensor("m.head.weight", range(4)))
    training.optimizer(*training.probe.tensors, weight_decay=0.1)
    return training


def plain(ledger: Ledger) -> object:
    """The ledger as data: a move that a later fact explains must not be the same object in both."""
    return msgspec.to_builtins(ledger)


def live(training: Training) -> Ledger:
    return training.observer.journal.fold.ledger()


def stored(path: Path) -> run_file.StoredRun:
    return run_file.read(path.read_bytes())


def test_facts_folded_again_give_the_ledger_of_the_run(training: Training) -> None:
    for step in range(9):
        training.probe.tensors[0].trainable = step == 4
        training.step()
    training.observer.close()
    again = fold(training.observer.journal.facts())
    assert plain(again) == plain(live(training))
    assert [row.changed.verdict for row in again.tensors] == ["yes", "yes"]
    assert [flip.now for flip in again.tensors[0].declared.flips] == [True, False]


def test_a_check_appends_what_is_new(training: Training, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    file = RunFile(path, training.observer.journal, "1")
    training.step()
    file.append(Run(steps=1))
    before = path.read_bytes()
    training.step()
    file.append(Run(steps=2))
    after = path.read_bytes()
    assert after.startswith(before)
    assert len(after) < 2 * len(before)
    assert stored(path).seal is None
    assert stored(path).ledger.run.steps == 2
    file.append(Run(steps=2, complete=True), Seal([]))
    assert stored(path).seal == Seal([])
    assert plain(stored(path).ledger) == plain(live(training))


def test_a_line_that_a_kill_has_torn_is_left_out(training: Training, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    file = RunFile(path, training.observer.journal, "1")
    training.step()
    file.append(Run(steps=1))
    whole = path.read_bytes()
    training.step()
    file.append(Run(steps=2))
    more = path.read_bytes()
    for end in (len(whole), len(whole) + 1, len(more) - 1):
        path.write_bytes(more[:end])
        assert stored(path).ledger.run.steps == 1


def test_a_file_that_somebody_removed_is_written_anew(training: Training, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    file = RunFile(path, training.observer.journal, "1")
    training.step()
    file.append(Run(steps=1))
    path.unlink()
    training.step()
    file.append(Run(steps=2))
    assert plain(stored(path).ledger) == plain(live(training))


@pytest.mark.parametrize(
    "line", [b"[1]", b'[{"fact":"NoSuchFact"}]', b'{"findings":3}', b'[{"fact":"Compared"}]', b"\xff"]
)
def test_a_line_that_is_no_fact_is_told(line: bytes, training: Training, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    RunFile(path, training.observer.journal, "1").append(Run())
    with pytest.raises(RecordError, match="not a valid frostline record"):
        run_file.read(path.read_bytes() + line + b"\n")


def test_facts_about_what_was_never_found_are_told(training: Training, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    RunFile(path, training.observer.journal, "1").append(Run())
    with pytest.raises(RecordError, match="not a valid frostline record"):
        run_file.read(path.read_bytes() + b'[{"fact":"Unread","tensor":99,"reason":"gone"}]\n')


def test_a_run_file_is_told_from_other_data_by_both_ends_of_its_first_line() -> None:
    assert run_file.is_run_file(b'{"format":2,"frostline":"1","facts":true}\n[]\n')
    assert not run_file.is_run_file(b'{"shape":2,"frostline":"1","facts":true}\n')
    assert not run_file.is_run_file(b'{"format":2,"frostline":"1","run":{}}\n')


def test_a_last_line_that_was_torn_seals_nothing() -> None:
    assert run_file.is_sealed(b'{"format":2}\n{"findings":[]}\n')
    assert not run_file.is_sealed(b'{"format":2}\n{"findings":[]}')


def test_what_seals_a_run_is_what_was_found() -> None:
    found = [Finding("r", "X1", "error", [], "m", {}, "h")]
    excused = [Excused("L1", "merged", "m.w", "proof")]
    known = BaselineUse("known.json")
    record = Record(2, "0", Run(), [], [], Totals(), found, Verdict(), baseline=known, excused=excused)
    assert run_file.sealed(record) == Seal(found, known, excused)
