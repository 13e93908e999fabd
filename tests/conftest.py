"""What all tests share: which frameworks are here, and that none is missing unnoticed."""

import gc
import importlib.util
import os
import shutil
import tempfile
import time
from pathlib import Path

import hypothesis
import pytest
from corpus.serving import share_servers

FRAMEWORKS = ("torch", "keras", "jax", "flax", "optax", "equinox", "tensorflow", "tf_keras")
PROGRAMS = ("chromium", "zsh", "fish", "model_signing")
# Files that take longest, by what they cost; all others are short beside them, and stay in their order behind them.
SLOW = (
    "docs/test_page_examples.py",
    "ranks/test_spawned.py",
    "causes/test_examples.py",
    "corpus/test_corpus.py",
    "ranks/test_children.py",
    "process/test_record.py",
    "contradictions/test_contradictions.py",
    "untouched/test_keras_untouched.py",
    "untouched/test_torch_untouched.py",
    "process/test_demo.py",
    "keras_instruments/test_untouched.py",
    "keras_instruments/test_ledger.py",
    "ranks/test_exit_status.py",
    "docs/test_findings.py",
    "docs/test_ci.py",
    "process/test_signals.py",
    "keras_instruments/test_loops.py",
    "process/test_following.py",
    "ranks/test_missing_ranks.py",
)
HERE = Path(__file__).parent
STARTED, LOAD = time.monotonic(), os.getloadavg()[0]
hypothesis.settings.register_profile("frostline", deadline=None)  # how long an example takes is the machine's affair
hypothesis.settings.load_profile("frostline")
os.environ |= {"USE_TF": "0", "USE_FLAX": "0"}  # transformers would load them as well, only because they are here
# XLA's compiler took half of the time of all tests with JAX: the same small programs, compiled well, again and again.
# Here they are compiled simply, and once in a worker; `make corpus` runs them as a user does.
_compiled = tempfile.TemporaryDirectory(prefix="compiled-")
os.environ |= {
    "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
    "JAX_COMPILATION_CACHE_DIR": _compiled.name,
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}
share_servers()  # one server of each framework for all workers
MUST_HAVE = tuple(os.environ.get("FROSTLINE_MUST_HAVE", "").split())


def is_installed(framework: str) -> bool:
    return importlib.util.find_spec(framework) is not None


def pytest_report_header() -> str:
    """Say in every run what could not be tested."""
    missing = [name for name in FRAMEWORKS if not is_installed(name)]
    missing += [program for program in PROGRAMS if shutil.which(program) is None]
    return f"missing: {', '.join(missing) or 'none'}; must be there: {', '.join(MUST_HAVE) or 'not stated'}"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow files first: workers that take files one by one then end at nearly the same time."""
    places = {HERE / name: place for place, name in enumerate(SLOW)}
    items.sort(key=lambda item: places.get(item.path, len(SLOW)))


@pytest.fixture(autouse=True, scope="module")
def _small_heap() -> None:
    """Hide what was made before from the collector: among all objects that it lists frostline looks for models."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs a missing framework; where it was stated as present, fail."""
    for marker in item.iter_markers("needs"):
        for framework in marker.args:
            if is_installed(framework):
                continue
            message = f"{framework} is not installed"
            pytest.fail(message) if framework in MUST_HAVE else pytest.skip(message)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Keep how long all tests took, and what else the machine had to do; ``make architecture`` prints it."""
    config, chosen = session.config, session.config.option
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not (chosen.keyword or chosen.markexpr)
    if whole and not (session.shouldstop or session.shouldfail or hasattr(config, "workerinput")):
        passed = len(config.pluginmanager.getplugin("terminalreporter").stats.get("passed", ()))
        run = {"seconds": time.monotonic() - STARTED, "passed": passed, "cores": os.cpu_count(), "load_before": LOAD}
        config.cache.set("frostline/all_tests", run)
