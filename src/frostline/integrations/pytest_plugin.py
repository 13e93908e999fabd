"""The pytest plugin: a test fails when its training contradicts what was declared or meant.

pytest loads this file in every run, so that it imports nothing else of frostline, and no framework, until a test or an
option asks for it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator, Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from frostline.watch import Report

REPORTS = "term, json:FILE or html:FOLDER"
_BLOCKS = pytest.StashKey[list["Block"]]()
_ASKED = ("frozen", "trained", "check_every", "patience", "fail_on")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Ask for reports of all watched tests."""
    parser.getgroup("frostline", "which weights the tests really trained").addoption(
        "--frostline-report", action="append", default=[], metavar="REPORT", help=f"{REPORTS}; repeatable"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and whatever writes the reports that were asked for."""
    config.addinivalue_line(
        "markers",
        "frostline(frozen=[...], trained=[...], check_every=N, patience=N, fail_on='error'): "
        "watch which weights the test trains, and fail it on findings",
    )
    asked = config.getoption("--frostline-report")
    for form in asked:
        if not re.fullmatch(r"term|(json|html):.+", form):
            raise pytest.UsageError(f"--frostline-report={form}: there is no such report; it is {REPORTS}")
    if asked:
        config.pluginmanager.register(_Reports(config, asked), "frostline-reports")


class Block:
    """One stretch of training under observation: it ends with the ``with`` block, or with the test.

    Args:
        objects: models and optimizers to look at from the start.
        asked: ``frozen``, ``trained``, ``check_every``, ``patience`` and ``fail_on``.
        folder: where settings files are looked for. Their patterns are those of the training script, and not used.

    Example:
        >>> import torch
        >>> with Block([torch.nn.Linear(2, 1)], {"fail_on": "error"}, Path()) as seen:
        ...     pass  # training
        >>> seen.report.record.findings
        []
    """

    def __init__(self, objects: Iterable[Any], asked: dict[str, Any], folder: Path) -> None:
        from frostline.errors import UnknownName
        from frostline.settings import load
        from frostline.watch import watch

        for name in asked:
            if name not in _ASKED:
                raise UnknownName.among("argument", name, _ASKED)
        asked = dict(asked)
        settings = load(folder).but(fail_on=asked.pop("fail_on", None))
        self.fail_on = settings.fail_on or "error"
        self._watch = watch(*objects, **({"frozen": (), "trained": ()} | asked), settings=settings)
        self._watch.session.attach_when_imported()
        self._watch.__enter__()
        self.is_open = True

    def __enter__(self) -> Block:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        self.close()
        if kind is None:
            self.check()

    @property
    def report(self) -> Report:
        """What was found; during the block, what has been found so far."""
        return self._watch.report

    def close(self) -> None:
        """Stop watching."""
        if self.is_open:
            self.is_open = False
            self._watch.__exit__(None, None, None)

    def check(self) -> None:
        """Fail on findings, and where nothing was seen that could have been judged.

        Raises:
            FindingsError: with every finding at or above ``fail_on``, its tensors and its hint.
        """
        from frostline.errors import FindingsError

        __tracebackhide__ = True
        record = self.report.record
        if not record.tensors:
            faults = f" ({record.run.faults[0]})" if record.run.faults else ""
            raise FindingsError(
                f"frostline saw no model{faults}; hand it to watch(), or call it or its optimizer under the watch"
            )
        self.report.check(self.fail_on)


class Watching:
    """What the fixture gives a test.

    Args:
        item: the test.

    Example:
        >>> def test_backbone_stays(frostline):
        ...     with frostline.watch(frozen=["backbone.**"]) as seen:
        ...         train()
        ...     assert seen.report.record.totals.changed
    """

    def __init__(self, item: pytest.Item) -> None:
        self._item = item

    def watch(self, *objects: Any, **asked: Any) -> Block:
        """Observe from here to the end of the ``with`` block (or of the test), and fail on findings.

        Args:
            objects: models and optimizers to look at from the start; others are found when they are used.
            asked: ``frozen`` and ``trained`` (patterns of tensors), ``check_every``, ``patience``, and ``fail_on``
                ("error", "warning" or "never").

        Raises:
            FindingsError: an AssertionError with every finding, its tensors and its hint.
        """
        block = Block(objects, asked, self._item.config.rootpath)
        self._item.stash.setdefault(_BLOCKS, []).append(block)
        return block


@pytest.fixture
def frostline(request: pytest.FixtureRequest) -> Watching:
    """Watch a training: ``with frostline.watch(model, optimizer, frozen=["backbone.**"]): train()``."""
    return Watching(request.node)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """The marker's watch around the test, and the end of every watch that the test left open."""
    __tracebackhide__ = True
    marker = item.get_closest_marker("frostline")
    if marker is not None:
        Watching(item).watch(*marker.args, **marker.kwargs)
    try:
        result = yield
    except BaseException:
        _close(item)
        raise
    for block in _close(item):
        block.check()
    return result


def _close(item: pytest.Item) -> list[Block]:
    """Close the watches that are open, the last one first; they are returned in the order of their beginning."""
    still_open = [block for block in item.stash.get(_BLOCKS, []) if block.is_open]
    for block in reversed(still_open):
        block.close()
    return still_open


class _Reports:
    """Gathers the records of all tests, from the workers of xdist too, and writes them at the end."""

    def __init__(self, config: pytest.Config, asked: list[str]) -> None:
        self._config = config
        self._asked = asked
        self._records: list[tuple[str, str]] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put the records onto the report, which xdist carries to the main process."""
        report = yield
        if call.when == "call":
            from frostline.core.storage.store import to_json

            blocks = item.stash.get(_BLOCKS, [])
            report.frostline = [to_json(block.report.record).decode() for block in blocks]  # type: ignore[attr-defined]
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a test brought."""
        self._records += [(report.nodeid, text) for text in getattr(report, "frostline", [])]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Write and print everything, once: the workers of xdist come here too, with what they themselves ran."""
        if hasattr(self._config, "workerinput"):
            return
        for form in self._asked:
            kind, _, place = form.partition(":")
            {"term": self._print, "json": self._write_json, "html": self._write_pages}[kind](terminalreporter, place)

    def _print(self, terminal: Any, place: str) -> None:
        from frostline.core.storage.store import from_json
        from frostline.core.verdict import sentence
        from frostline.report import render

        terminal.section("frostline")
        for test, text in self._records:
            record = from_json(text.encode())
            terminal.write_line(f"{test}: {sentence(record.verdict)}")
            if record.verdict.errors or record.verdict.warnings:
                terminal.write_line(render(record, "text", width=terminal._tw.fullwidth, color=terminal._tw.hasmarkup))
                terminal.write_line("")

    def _write_json(self, terminal: Any, place: str) -> None:
        import msgspec

        from frostline.core.storage.store import write_atomically

        document = {
            "frostline_tests": 1,
            "tests": [{"test": test, "record": msgspec.Raw(text.encode())} for test, text in self._records],
        }
        path = self._config.invocation_params.dir / place
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(msgspec.json.encode(document), path)
        terminal.write_line(f"frostline: {len(self._records)} records in {place}")

    def _write_pages(self, terminal: Any, place: str) -> None:
        from frostline.core.storage.store import from_json, write_atomically
        from frostline.laws import why
        from frostline.report import render
        from frostline.settings import load

        folder = self._config.invocation_params.dir / place
        folder.mkdir(parents=True, exist_ok=True)
        uses: Counter[str] = Counter()
        reasons = why(load(self._config.rootpath).laws)
        for test, text in self._records:
            name = re.sub(r"[^\w.-]+", "-", test)[-120:]
            uses[name] += 1
            file = f"{name}.html" if uses[name] == 1 else f"{name}-{uses[name]}.html"
            page = render(from_json(text.encode()), "html", why=reasons)
            write_atomically(page.encode(), folder / file)
        terminal.write_line(f"frostline: {len(self._records)} pages in {place}")
