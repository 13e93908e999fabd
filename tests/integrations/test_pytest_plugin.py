"""The pytest plugin: pytest runs tests that train real models, and fails those that contradict what was meant."""

import json

import pytest
from tests.without_compiler import WITHOUT_COMPILER

from frostline.core.storage.store import FORMAT

pytest_plugins = ["pytester"]

MODELS = """
import pytest

def training(frozen=True, rows=5):
    import torch
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 2))
    model[0].requires_grad_(not frozen)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    return model, optimizer

def train(model, optimizer):
    import torch
    for _ in range(4):
        optimizer.zero_grad()
        model(torch.randn(5, 4)).square().mean().backward()
        optimizer.step()
"""


@pytest.fixture
def tests(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    """Runs test functions, written after two helpers, in a process of their own."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.setenv("PYTHONPATH", WITHOUT_COMPILER["PYTHONPATH"])

    def run(source: str, *arguments: str) -> pytest.RunResult:
        pytester.makepyfile(MODELS + source)
        others = [word for name in ("cacheprovider", "randomly", "jaxtyping") for word in ("-p", f"no:{name}")]
        return pytester.runpytest_subprocess(*others, *arguments)

    return run


@pytest.mark.needs("torch")
def test_blocks_and_marked_tests_fail_with_names_and_hints(tests, pytester) -> None:
    done = tests(
        """
        def test_healthy(frostline):
            model, optimizer = training()
            with frostline.watch(model, optimizer, frozen=["0.**"], trained=["1.**"]) as seen:
                train(model, optimizer)
            assert seen.report.record.totals.changed == 8

        def test_block(frostline):
            model, optimizer = training(frozen=False)
            with frostline.watch(model, optimizer, frozen=["0.**"]):
                train(model, optimizer)
            print("never reached")

        def test_left_open(frostline):
            model, optimizer = training(frozen=False)
            frostline.watch(model, optimizer, frozen=["0.weight"])
            train(model, optimizer)

        def test_own_failure_comes_first(frostline):
            model, optimizer = training(frozen=False)
            with frostline.watch(model, optimizer, frozen=["0.**"]):
                train(model, optimizer)
                assert 1 == 2, "my own"

        @pytest.mark.frostline(frozen=["0.**"], trained=["1.**"])
        def test_marked_healthy():
            train(*training())

        @pytest.mark.frostline(trained=["0.**"])
        def test_marked():
            train(*training())

        @pytest.mark.frostline(frozen=["0.**"], fail_on="never")
        def test_marked_lenient():
            train(*training(frozen=False))

        @pytest.mark.frostline
        def test_nothing_trained():
            pass

        @pytest.mark.frostline(frozne=["0.**"])
        def test_misspelt():
            pass

        def test_both_at_once(frostline):
            model, optimizer = training()
            with frostline.watch(frozen=["0.**"]), frostline.watch(trained=["1.**"]):
                train(model, optimizer)
        """.replace("\n        ", "\n"),
        "--frostline-report=term",
        "--frostline-report=json:out/records.json",
        "-rA",
    )
    done.assert_outcomes(passed=4, failed=6)
    passed = {line.split("::")[1] for line in done.outlines if line.startswith("PASSED")}
    assert passed == {"test_healthy", "test_marked_healthy", "test_marked_lenient", "test_both_at_once"}
    text = done.stdout.str()
    assert "never reached" not in text
    assert "my own" in text
    done.stdout.fnmatch_lines([
        "*M501 expected-frozen-but-changed: 2 tensors*",
        "*tensors: model.0.weight, model.0.bias",
        "*hint: look at the flag*",
        "*M506 expected-trained-but-frozen*",
        "*frostline saw no model*",
        "*there is no argument 'frozne'*",
        "*hint: did you mean frozen?*",
        "*= frostline =*",
        "*::test_healthy: no contradiction found*",
        "*::test_block: 1 error*",
    ])  # fmt: skip
    assert "\x1b" not in text
    records = json.loads((pytester.path / "out" / "records.json").read_text())["tests"]
    assert [one["test"].split("::")[1] for one in records].count("test_both_at_once") == 2
    assert len(records) == 10
    assert {one["record"]["format"] for one in records} == {FORMAT}


@pytest.mark.needs("torch")
def test_settings_of_the_project_hold_and_workers_of_xdist_bring_their_records(tests, pytester) -> None:
    pytester.makefile(
        ".toml",
        frostline='frozen = ["nowhere.**"]\n[[ignore]]\nrule = "M501"\nreason = "known"\ntensors = ["0.*"]',
    )
    done = tests(
        """
@pytest.mark.parametrize("pattern", ["0.**", "**"])
def test_one(frostline, pattern):
    model, optimizer = training(frozen=False)
    with frostline.watch(model, optimizer, frozen=[pattern]):
        train(model, optimizer)
""",
        "-n2",
        "--frostline-report=json:records.json",
        "--frostline-report=html:pages",
    )
    done.assert_outcomes(passed=1, failed=1)
    pages = sorted(page.name.partition("test_one")[2] for page in (pytester.path / "pages").iterdir())
    assert pages == ["-.html", "-0.-.html"]  # one for each test, and none from the workers
    records = {one["test"]: one["record"] for one in json.loads((pytester.path / "records.json").read_text())["tests"]}
    ignored = {test.partition("[")[2]: record["verdict"]["ignored"] for test, record in records.items()}
    assert ignored == {"0.**]": 1, "**]": 0}


@pytest.mark.needs("keras", "jax")
def test_a_keras_model(tests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    done = tests(
        """
def fit(body_frozen):
    import keras, numpy
    body = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)], name="body")
    model = keras.Sequential([body, keras.layers.Dense(1, name="head")], name="model")
    body.trainable = not body_frozen
    model.compile("sgd", "mse")
    model.fit(numpy.ones((8, 4)), numpy.ones((8, 1)), epochs=4, verbose=0)

@pytest.mark.frostline(frozen=["body.**"], trained=["head.**"])
def test_good():
    fit(True)

@pytest.mark.frostline(frozen=["body.**"])
def test_bad():
    fit(False)
"""
    )
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["*M501 expected-frozen-but-changed: 2 tensors*", "*tensors: model.body.*"])


def test_a_report_that_does_not_exist_is_refused(tests) -> None:
    done = tests("def test_one(): pass", "--frostline-report=jsn:x")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*there is no such report; it is term, json:FILE or html:FOLDER*"])


def test_it_imports_nothing_until_it_is_used(tests) -> None:
    done = tests(
        """
import sys

def test_one():
    heavy = {"torch", "keras", "numpy", "rich", "msgspec", "frostline.watch", "frostline.core", "click", "wrapt"}
    assert "frostline.integrations.pytest_plugin" in sys.modules
    assert not heavy & set(sys.modules)
"""
    )
    done.assert_outcomes(passed=1)
