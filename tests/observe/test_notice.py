"""The line that says how much was read, and how long all reading took."""

from __future__ import annotations

import io
import sys

import pytest

from frostline.observe.progress import Notice, terminal


class Clock:
    now = 5.0

    def __call__(self) -> float:
        return self.now


def drawn(paper: io.StringIO) -> list[str]:
    """What was written since this was asked last."""
    text = paper.getvalue()
    paper.seek(0)
    paper.truncate()
    return [line for line in text.split("\r\x1b[K") if line]


def test_a_stretch_of_over_a_second_says_how_much_was_read_and_is_wiped_out() -> None:
    paper, clock = io.StringIO(), Clock()
    notice = Notice(paper, clock)
    with notice.stretch():
        notice.read(10**9)
        assert drawn(paper) == []
        clock.now += 1.0
        notice.read(5 * 10**8)
        assert drawn(paper) == ["frostline: 1.5 GB of weights read"]
        notice.read(10**8)  # a moment later: not drawn again
        assert drawn(paper) == []
        clock.now += 0.3
        notice.read(10**8)
        assert drawn(paper) == ["frostline: 1.7 GB of weights read"]
    assert paper.getvalue() == "\r\x1b[K"


def test_stretches_are_counted_once_each_and_one_inside_another_is_part_of_it() -> None:
    paper, clock = io.StringIO(), Clock()
    notice = Notice(paper, clock)
    for _ in range(2):
        with notice.stretch():
            clock.now += 0.5
            with notice.stretch():
                notice.read(10**9)
                clock.now += 0.25
            clock.now += 0.25
            notice.read(0)
        assert drawn(paper) == ["frostline: 1.0 GB of weights read"]  # each begins anew
    assert notice.seconds == 2.0


def test_nothing_is_written_outside_a_stretch_or_without_a_terminal() -> None:
    paper, clock = io.StringIO(), Clock()
    Notice(paper, clock).read(10**9)
    silent = Notice(None, clock)
    with silent.stretch():
        clock.now += 9
        silent.read(10**9)
    assert (paper.getvalue(), silent.seconds) == ("", 9.0)


class Paper(io.StringIO):
    """Remembers what had been written when it was last flushed."""

    flushed, is_terminal = "", True

    def flush(self) -> None:
        self.flushed = self.getvalue()

    def isatty(self) -> bool:
        return self.is_terminal


def test_what_is_written_is_seen_at_once() -> None:
    paper, clock = Paper(), Clock()
    notice = Notice(paper, clock)
    with notice.stretch():
        clock.now += 1.0
        notice.read(0)
        assert paper.flushed == paper.getvalue() != ""
    assert paper.flushed.endswith("\r\x1b[K")


def test_a_terminal_that_takes_escape_codes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(paper: Paper | None, kind: str | None = "xterm") -> bool:
        monkeypatch.setattr(sys, "__stderr__", paper)
        monkeypatch.setenv("TERM", kind) if kind is not None else monkeypatch.delenv("TERM", raising=False)
        return terminal() is paper is not None

    pipe, closed = Paper(), Paper()
    pipe.is_terminal = False
    closed.close()
    assert found(Paper())
    assert not any((found(Paper(), "dumb"), found(Paper(), None), found(pipe), found(closed), found(None)))
