"""Tests run in forks of one warm process: which lines each test runs, and whether any notices a fault."""

from __future__ import annotations

import ast
import contextlib
import functools
import os
import pickle
import re
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType

import pytest
from tests.mutants.faults import Fault, faults

QUIET = ("-q", "-x", "-p", "no:cacheprovider", "--no-header", "--tb=no", "-W", "ignore")
SECONDS = 20.0  # of tests for one fault, as they took without it
SLOWER = 3.0  # times that a fault may make them; then they count as having noticed
WAITING = 10  # times as long may pass by the clock, on a machine that others use
STARTING = 10  # seconds to start, to import and to collect


@dataclass(slots=True)
class Runs:
    """Which tests run which lines of which file, and how long each takes; learnt once, without faults.

    What an import runs is of a test without a name.
    """

    lines: dict[str, dict[int, set[str]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def noticing(self, file: str, fault: Fault) -> list[str]:
        """The tests that may notice, the quickest first; all of the file's where it is code that an import runs."""
        known = self.lines.get(file, {})
        lines = known if fault.at_import else fault.lines
        tests = {test for line in lines for test in known.get(line, ())}
        if (
            fault.at_import or "" in tests
        ):  # tests of what a module is, rather than of what it does, run none of its lines
            tests |= {test for test in self.seconds if _names(test, Path(file).stem)}
        return sorted(tests - {""}, key=lambda test: (self.seconds[test], test))


def _names(test: str, module: str) -> bool:
    """Whether the file of a test has the name of the module."""
    return re.search(rf"\b{module}\b", _source(test.partition("::")[0])) is not None


@functools.cache
def _source(file: str) -> str:
    return Path(file).read_text("utf-8")


def warm(modules: Iterable[str]) -> None:
    """Import what is costly, once, before any fork."""
    os.environ.update(OMP_NUM_THREADS="1", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    for name in modules:
        with contextlib.suppress(ImportError):
            __import__(name)


class _Steady:
    """Makes hypothesis try the same examples in every fork."""

    def pytest_collection(self) -> None:
        import hypothesis

        hypothesis.settings.register_profile("mutants", deadline=None, derandomize=True, database=None)
        hypothesis.settings.load_profile("mutants")


class _Learning(_Steady):
    """Notes the processor time of every test, and which lines of the files it runs."""

    def __init__(self, include: Sequence[str]) -> None:
        import coverage

        self.coverage = coverage.Coverage(data_file=None, include=list(include), config_file=False)
        self.runs = Runs()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.coverage.switch_context(item.nodeid)
        start = time.process_time()
        result = yield
        self.runs.seconds[item.nodeid] = time.process_time() - start
        return result

    def pytest_sessionstart(self) -> None:
        self.coverage.start()

    def pytest_sessionfinish(self) -> None:
        self.coverage.stop()
        data = self.coverage.get_data()
        for file in data.measured_files():
            found = data.contexts_by_lineno(file)
            self.runs.lines[file] = {line: set(tests) for line, tests in found.items()}


def learn(tests: Sequence[str], include: Sequence[str]) -> Runs:
    """Run the tests once; RuntimeError when one of them fails."""

    def child(result: Path) -> int:
        learning = _Learning(include)
        status = int(pytest.main([*QUIET, *tests], plugins=[learning]))
        result.write_bytes(pickle.dumps(learning.runs))
        return status

    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "runs"
        pid = _fork(lambda: child(result), seconds=3600, shown=True)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if status != 0:
            raise RuntimeError("a test fails without any fault")
        runs: Runs = pickle.loads(result.read_bytes())
        return runs


def try_fault(module: str, file: Path, number: int, tests: Sequence[str], runs: Runs) -> int:
    """Fork a process in which the module has the fault with this number; it exits with 0 where no test notices."""
    chosen, spent = [], 0.0
    for test in tests:
        spent += runs.seconds[test]
        if chosen and spent > SECONDS:
            break
        chosen.append(test)

    def child() -> int:
        tree = ast.parse(file.read_text("utf-8"))
        _put_in_place(module, faults(tree)[number].plant(tree, str(file)))
        return int(pytest.main([*QUIET, *chosen], plugins=[_Steady()]))

    return _fork(child, seconds=STARTING + SLOWER * min(spent, SECONDS))


def _put_in_place(module: str, code: CodeType) -> None:
    """Whoever imports the module from now on gets this code."""
    stored = SourceFileLoader.get_code

    def get_code(loader: SourceFileLoader, fullname: str) -> CodeType | None:
        return code if fullname == module else stored(loader, fullname)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign]


def _fork(run: Callable[[], int], seconds: float, shown: bool = False) -> int:
    """The id of a new process that does this, and is killed if it computes for longer.

    What only waits is killed too, much later: on a machine that has more to do, a fault is not noticed by being slow.
    """
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    status = 70
    try:
        for timer, expired in ((signal.ITIMER_PROF, signal.SIGPROF), (signal.ITIMER_REAL, signal.SIGALRM)):
            signal.signal(expired, signal.SIG_DFL)
            signal.setitimer(timer, seconds if timer == signal.ITIMER_PROF else WAITING * seconds)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if not shown:
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nowhere, stream)
        status = run()
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else 1
    finally:
        os._exit(status)
