"""Large tensors are read by several threads: the same numbers, and nothing of it shows in the script."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
import xxhash

from frostline.digest import threads
from frostline.digest.blocks import BLOCK, blocks, differing, first_difference
from frostline.digest.threads import any_of

LARGE = 70 * BLOCK + 123


@pytest.fixture(autouse=True)
def four_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "processors", lambda: 4)


@pytest.fixture(scope="module")
def tensor_row() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, LARGE, dtype=np.uint8)


def test_the_numbers_are_those_of_one_thread(tensor_row: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    raw, shared = tensor_row.tobytes(), blocks(tensor_row)
    assert list(shared.values) == [xxhash.xxh3_64_intdigest(raw[at : at + BLOCK]) for at in range(0, LARGE, BLOCK)]
    monkeypatch.setattr(threads, "processors", lambda: 1)
    assert blocks(tensor_row) == shared


@pytest.mark.parametrize("block", [0, 1, 35, 69, 70])
def test_a_change_in_any_thread_s_part_is_seen(tensor_row: np.ndarray, block: int) -> None:
    before, changed = blocks(tensor_row), tensor_row.copy()
    changed[block * BLOCK + 7] ^= 1
    assert (first_difference(before, changed), differing(before, changed)[0]) == (True, [block])
    assert (first_difference(before, tensor_row), differing(before, tensor_row)[0]) == (False, [])


def test_every_piece_is_done_once_and_by_several_threads() -> None:
    done: list[tuple[int, int]] = []
    met = threading.Barrier(4, timeout=30)

    def work(piece: int) -> bool:
        if piece < 4:
            met.wait()
        done.append((piece, threading.get_ident()))
        return False

    assert any_of(work, range(40)) is False
    assert sorted(piece for piece, _ in done) == list(range(40))
    assert len({thread for _, thread in done}) == 4


def test_an_error_of_any_thread_is_raised() -> None:
    def work(piece: int) -> bool:
        if piece == 7:
            raise MemoryError(str(piece))
        return False

    with pytest.raises(MemoryError, match="7"):
        any_of(work, range(16))


def are_gone_but(running: set[int]) -> bool:
    """Whether no thread is left but these; one that has done its work takes a moment to end."""
    deadline = time.monotonic() + 30
    while not set(sys._current_frames()) <= running and time.monotonic() < deadline:
        time.sleep(0.01)
    return set(sys._current_frames()) <= running


def test_what_the_script_sees_of_its_threads_stays_as_it_was(tensor_row: np.ndarray) -> None:
    traced: list[object] = []
    before, running = threading.enumerate(), set(sys._current_frames())
    threading.settrace(lambda *event: traced.append(event))
    threading.setprofile(lambda *event: traced.append(event))
    try:
        blocks(tensor_row)
    finally:
        threading.settrace(None)  # type: ignore[arg-type]
        threading.setprofile(None)
    assert (traced, threading.enumerate()) == ([], before)
    assert are_gone_but(running)


def test_without_threads_to_be_had_one_does_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> int:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads._thread, "start_new_thread", none)
    done: list[int] = []
    assert any_of(lambda piece: done.append(piece) or False, range(9)) is False
    assert sorted(done) == list(range(9))


@pytest.fixture
def alarm() -> Iterator[None]:
    before = signal.getsignal(signal.SIGALRM)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("alarm")
def test_a_signal_handler_reads_while_a_read_is_under_way(tensor_row: np.ndarray) -> None:
    expected, seen = blocks(tensor_row), []
    signal.signal(signal.SIGALRM, lambda *_: seen.append(blocks(tensor_row)))
    while len(seen) < 10:
        # Once for each read: an alarm that repeats rings within its own handler, without end where reading is slow.
        signal.setitimer(signal.ITIMER_REAL, 0.0005)
        assert blocks(tensor_row) == expected
    assert set(seen) == {expected}


@pytest.mark.usefixtures("alarm")
def test_an_interruption_leaves_no_thread_behind(tensor_row: np.ndarray) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, interrupt)
    expected, running = blocks(tensor_row), set(sys._current_frames())

    def read_on(delay: float) -> None:
        signal.setitimer(signal.ITIMER_REAL, delay)
        while True:
            blocks(tensor_row)

    for delay in (0.0005, 0.001, 0.002):
        with pytest.raises(KeyboardInterrupt):
            read_on(delay)
    assert blocks(tensor_row) == expected
    assert are_gone_but(running)


def forked_answer(answer: bool) -> int:
    """The child's exit status: 0 where the answer is right."""
    os._exit(0 if answer else 1)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_forked_after_a_read_reads_too(tensor_row: np.ndarray) -> None:
    expected = blocks(tensor_row)
    child = os.fork()
    if not child:
        forked_answer(blocks(tensor_row) == expected)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_forked_in_the_midst_of_the_work_finishes_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_PATIENCE", 0.01)
    main, met = threading.get_ident(), threading.Barrier(4, timeout=30)
    begun: set[int] = set()
    done: list[int] = []
    children: list[int] = []

    def work(piece: int) -> bool:
        here = threading.get_ident()
        if here not in begun:
            begun.add(here)
            met.wait()
            if here == main:
                children.append(os.fork())
        done.append(piece)
        return False

    found = any_of(work, range(16))
    if children == [0]:
        forked_answer(not found and set(done) == set(range(16)))
    assert sorted(done) == list(range(16))
    assert os.waitpid(children[0], 0)[1] == 0


@pytest.mark.parametrize(
    ("pieces", "processors", "threads_used"),
    [(0, 4, None), (3, 4, None), (4, 4, 2), (7, 4, 3), (40, 4, 4), (40, 64, threads.MOST), (40, 1, 1), (40, 2, 2)],
)
def test_as_many_threads_work_as_have_two_pieces_each_and_a_processor(
    pieces: int, processors: int, threads_used: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []
    monkeypatch.setattr(threads, "processors", lambda: processors)
    monkeypatch.setattr(threads._Shared, "done_by", lambda self, count: counts.append(count))
    any_of(lambda piece: False, range(pieces))
    assert counts == ([threads_used] if threads_used and threads_used > 1 else [])


@pytest.mark.parametrize("count", [1, 2, 4])
def test_the_present_thread_is_one_of_them(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shared, asked = threads._Shared(lambda piece: False, range(8)), []
    monkeypatch.setattr(shared, "_helpers", lambda helpers: asked.append(helpers) or [])
    assert shared.done_by(count) is False
    assert asked == [count - 1]
